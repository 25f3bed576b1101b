import type { SchemaRef } from './frames.ts';

/** Where schemas are said and found: a registry, or a topic of the bus. */
export interface SchemaSource {
  /** what records of ours are framed with on the wire, by fingerprint; undefined: as they are */
  idOf(fingerprint: string): number | undefined;
  /** The fingerprint that stands for a record's frame; undefined: not known yet. */
  fingerprintOf(ref: SchemaRef): string | undefined;
  /**
   * At start: learns what is there, says what we write. Rejects with SchemaIncompatibleError when we can't read what `reads` names, or what we write
   * can't stand beside what is there.
   */
  exchange(records: { readonly reads: readonly string[]; readonly writes: readonly string[] }): Promise<void>;
  /** Looks once for what is not known. What isn't there stays unknown. Rejects with a BusError when nobody answers. */
  find(refs: readonly SchemaRef[]): Promise<void>;
}
