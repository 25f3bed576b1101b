export type { EventValues } from './body.ts';
export { collidingSchema } from './collision.ts';
export {
  createTestAction,
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
export { createSyntheticHost, O, SyntheticHost } from './host.ts';
export type {
  AcceptValues,
  ConnectValues,
  ContainerValues,
  CredentialValues,
  OpenValues,
  SocketValues,
} from './host-values.ts';
export { type LogBatchOptions, logBatch } from './logs.ts';
export { credentialsOf, SyntheticProcess } from './process.ts';
export { type ConsumerRecord, consumerRecords } from './records.ts';
export type { SyntheticHostOptions } from './stream.ts';
