export { type AlertmanagerServer, alertmanagerMissing, startAlertmanager } from './alertmanager.ts';
export { type Collector, collectorMissing, startCollector, startLogShipper } from './collector.ts';
export { duckdbMissing, queryDuckdb } from './duckdb.ts';
export { type Grok, grokMissing, startGrok } from './grok.ts';
export {
  type KafkaBroker,
  type KafkaCluster,
  type KafkaOptions,
  type KafkaTool,
  kafkaMissing,
  runKafkaTool,
  startKafka,
} from './kafka.ts';
export type { KafkaSecurity } from './kafka-security.ts';
export { type ReservedPorts, reservePorts } from './ports.ts';
export { type RedisOptions, type RedisServer, redisMissing, startRedis } from './redis.ts';
export { type RegistryServer, registryMissing, startRegistry } from './registry.ts';
export { type RsyslogServer, rsyslogMissing, startRsyslog } from './rsyslog.ts';
export { type S3Server, s3Missing, startS3 } from './s3.ts';
export {
  elasticsearchMissing,
  opensearchMissing,
  type SearchOptions,
  type SearchServer,
  startElasticsearch,
  startOpenSearch,
} from './search.ts';
export type { RunningServer } from './server-process.ts';
export {
  hostSharedServers,
  sharedElasticsearch,
  sharedKafka,
  sharedOpenSearch,
  sharedRedis,
  sharedRegistry,
} from './shared.ts';
export { startVictoriaLogs, type VictoriaLogs, victoriaLogsMissing } from './victoria-logs.ts';
