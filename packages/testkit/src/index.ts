export type { EventValues } from './body.ts';
export {
  createTestAlert,
  createTestCommand,
  createTestIncident,
  createTestLineage,
  createTestResult,
  EVIDENCE_BOOT,
  EVIDENCE_HOST,
  EVIDENCE_WALL_OFFSET,
  evidenceEntity,
  evidenceStart,
} from './evidence.ts';
export {
  type AcceptValues,
  type ConnectValues,
  type ContainerValues,
  type CredentialValues,
  createTestHost,
  type ExecValues,
  O,
  type OpenValues,
  type SocketValues,
  TestHost,
  type TestHostOptions,
} from './host.ts';
export * from './kernels/index.ts';
export { type TestLogOptions, testLogs } from './logs.ts';
export { credentialsOf, TestProcess } from './process.ts';
export { type TestRecord, testRecords } from './records.ts';
export * from './servers/index.ts';
