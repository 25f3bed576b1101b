import type { SchemaRef } from './frames.ts';
import type { RefusalStats } from './refusals.ts';

/** A place where schemas are published and looked up: a registry, or a topic of the bus. */
export interface SchemaSource {
  /** Counters of the schemas that were not learnt. */
  readonly stats: RefusalStats;
  /** Returns the id for the Confluent frame, or undefined when records keep their single-object frame. */
  idOf(fingerprint: string): number | undefined;
  /** Returns the fingerprint of a schema, or undefined while the schema is unknown. */
  fingerprintOf(ref: SchemaRef): string | undefined;
  /**
   * Learns the published schemas of `reads` and publishes the current schemas of `writes`, at the start. Rejects with
   * SchemaIncompatibleError when a schema of `reads` is unreadable, or a schema of `writes` is incompatible.
   */
  exchange(records: { readonly reads: readonly string[]; readonly writes: readonly string[] }): Promise<void>;
  /** Looks up unknown schemas once. Rejects with a BusError when the registry or the bus is away. */
  find(refs: readonly SchemaRef[]): Promise<void>;
}
