export { type EmbeddedBus, openEmbeddedBus } from './embedded/bus.ts';
export type { Drop, DropCause } from './embedded/drops.ts';
export type { EmbeddedBusOptions } from './embedded/options.ts';
export { type EmbeddedReader, type EmbeddedReaderOptions, openEmbeddedReader } from './embedded/reader.ts';
export * from './errors.ts';
export type { KafkaBus } from './kafka/bus.ts';
export type { AssignedPartition } from './kafka/consumer.ts';
export type { Compression, KafkaBusOptions, KafkaSasl, KafkaTls, SaslMechanism } from './kafka/options.ts';
export type { KafkaBusStats } from './kafka/stats.ts';
export { MAX_KEY_BYTES, MAX_RECORD_BYTES } from './limits.ts';
export { murmur2, partitionOf } from './murmur2.ts';

export {
  type Failpoint,
  type Handler,
  type Partitioned,
  type PipelineMetrics,
  type PipelineOptions,
  runPipeline,
} from './pipeline.ts';
export type * from './port.ts';
export type { OwnSchema, SchemaBook } from './registry/book.ts';
export type { RegistryOptions } from './registry/client.ts';
export * from './registry/errors.ts';
export { exchangeSchemas } from './registry/exchange.ts';
export type { SchemaBus, SchemaBusOptions } from './registry/schema-bus.ts';
export type { SchemaStats } from './registry/unknown.ts';
export { type InputPosition, StateTable, type StateTableOptions } from './state-table.ts';
