export { createTestCa, type IssueOptions, type TestCa, type TestCertificate } from './certificates.ts';
export { TestServerError } from './errors.ts';
export { type KafkaBroker, type KafkaCluster, type KafkaOptions, kafkaMissing, startKafka } from './kafka.ts';
export type { KafkaSecurity } from './kafka-security.ts';
export { type RedisOptions, type RedisServer, redisMissing, startRedis } from './redis.ts';
export type { RunningServer } from './server-process.ts';
export { hostSharedServers, sharedKafka, sharedRedis } from './shared.ts';
export { createTokenIssuer, type TokenIssuer } from './tokens.ts';
