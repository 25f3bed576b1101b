export { type EmbeddedBus, openEmbeddedBus } from './embedded/bus.ts';
export type { Drop, DropCause } from './embedded/drops.ts';
export type { EmbeddedBusOptions } from './embedded/options.ts';
export { type EmbeddedReader, type EmbeddedReaderOptions, openEmbeddedReader } from './embedded/reader.ts';
export * from './errors.ts';
export { checkRecord, checkState, checkTopicSpec, MAX_KEY_BYTES, MAX_RECORD_BYTES } from './limits.ts';
export { murmur2, partitionOf } from './murmur2.ts';
export type * from './port.ts';
export { topicsOf } from './port.ts';
