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
  type ConnectValues,
  type ContainerValues,
  type CredentialValues,
  createTestHost,
  type ExecValues,
  O,
  type OpenValues,
  TestHost,
  type TestHostOptions,
} from './host.ts';
export { credentialsOf, TestProcess } from './process.ts';
export { type TestRecord, testRecords } from './records.ts';
export { TestServerError } from './servers/errors.ts';
export { type KafkaBroker, type KafkaCluster, type KafkaOptions, startKafka } from './servers/kafka.ts';
export { type RedisOptions, type RedisServer, redisMissing, startRedis } from './servers/redis.ts';
export type { RunningServer } from './servers/server-process.ts';
