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
export type { ExecValues } from './exec-body.ts';
export { createTestHost, O, TestHost, type TestHostOptions } from './host.ts';
export type {
  AcceptValues,
  ConnectValues,
  ContainerValues,
  CredentialValues,
  OpenValues,
  SocketValues,
} from './host-values.ts';
export { type TestLogOptions, testLogs } from './logs.ts';
export { credentialsOf, TestProcess } from './process.ts';
export { readable } from './readable.ts';
export { type TestRecord, testRecords } from './records.ts';
export { releasedRecord } from './released.ts';
export { createTestCa, type IssueOptions, type TestCa, type TestCertificate } from './servers/certificates.ts';
export { TestServerError } from './servers/errors.ts';
export { type Faults, startTcpProxy, type TcpProxy } from './servers/tcp-proxy.ts';
export { createTokenIssuer, type TokenIssuer } from './servers/tokens.ts';
