export {
  createTestHost,
  type ContainerValues,
  type CredentialValues,
  type ExecValues,
  O,
  type OpenValues,
  type ConnectValues,
  type TestHostOptions,
  TestHost,
} from './host.ts';
export { credentialsOf, TestProcess } from './process.ts';
export { type TestRecord, testRecords } from './records.ts';
