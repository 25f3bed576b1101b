import type { AuditKind } from '@ringfence/wire';

/** Where the evidence goes. Drivers: one SQLite file; Elasticsearch or OpenSearch data streams in a fleet. */
export interface AuditSink {
  /** Executions are entries of their own; else the sink finds them in their batch. */
  readonly executionsApart: boolean;
  /**
   * All of it is stored and durable when it resolves. An entry of a known kind and id is not stored again, wherever it comes from: offsets don't tell,
   * because a log that was lost begins at 0 again. Rejects with a `retriable` error when it can't be taken for now: the same batch may then come again.
   * Resolves with what it will never take in the form that is searched: evidence itself is never among it.
   */
  write(batch: AuditBatch): Promise<readonly Rejection[]>;
  /** Heads of the chains that have grown since the last call. */
  heads(): Promise<TrailHeads>;
  stats(): SinkStats;
  /** What was written stays; nothing can be written any more. */
  close(): Promise<void>;
}

export interface Rejection {
  readonly entry: AuditEntry;
  readonly error: Error;
}

/** Where a chain ended at some time: kept elsewhere, it proves that nothing before was rewritten. */
export interface ChainHead {
  readonly topic: string;
  readonly partition: number;
  readonly kind: AuditKind;
  readonly seq: number;
  /** hex */
  readonly hash: string;
}

export interface TrailHeads {
  /** name of the trail: made with it, and never again */
  readonly trail: string;
  /** `offset`: of the chain's last record in its source partition; -1: it is gone */
  readonly heads: readonly (ChainHead & { readonly offset: number })[];
}

export interface AuditBatch {
  /** of each source partition in the order of its offsets */
  readonly entries: readonly AuditEntry[];
  /** What is stored when this batch is: the offset after its last record, by source partition. */
  readonly positions: readonly SourcePosition[];
}

export interface SourcePosition {
  readonly topic: string;
  readonly partition: number;
  /** offset of the first record of the batch */
  readonly from: number;
  /** offset after its last one */
  readonly next: number;
}

/** An AuditRecord before it is chained, with what it is found by. */
export interface AuditEntry {
  readonly kind: AuditKind;
  /** unique within its kind */
  readonly id: string;
  /** µs since the epoch; of the first event when there are several */
  readonly timestamp: number;
  /** µs since the epoch; of the last event when there are several */
  readonly until: number;
  readonly hostId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** a framed record */
  readonly payload: Uint8Array;
  /** process entities, hex */
  readonly entities: readonly string[];
  /** bit n: has events of kind n (KIND) */
  readonly eventKinds: number;
  /** events in it, of a batch; else 0 */
  readonly eventCount: number;
  /** for full-text search; empty: not searched */
  readonly text: string;
  /** what it answers: a command's alert or incident. Empty: nothing */
  readonly cause: string;
  /** of an incident, whose newest version is shown; else null */
  readonly incident: { readonly id: string; readonly version: number } | null;
}

export interface SinkStats {
  /** stored since the sink was opened, by kind */
  readonly stored: Readonly<Record<AuditKind, number>>;
  /** in the batches stored since the sink was opened */
  readonly events: number;
  /** not stored because they were there already */
  readonly duplicates: number;
  /** had the id of another record but other bytes: the first one stands */
  readonly conflicts: number;
  /** records of a source that never came: offsets that were skipped on a topic without compaction */
  readonly missed: number;
  /** let go for lack of room or for age, since the trail began */
  readonly dropped: readonly AuditDrop[];
  /** bytes of payloads taken, and of payloads as stored (compressed) */
  readonly payloadBytes: number;
  readonly storedBytes: number;
  /** of the store as a whole; 0: it doesn't say */
  readonly usedBytes: number;
  /** 0: the store has a bound of its own */
  readonly maxBytes: number;
}

export type AuditDropCause = 'disk-bound' | 'age';

export interface AuditDrop {
  readonly kind: AuditKind;
  readonly cause: AuditDropCause;
  readonly count: number;
  /** in them, when they are batches */
  readonly events: number;
  /** of payloads as stored */
  readonly bytes: number;
}
