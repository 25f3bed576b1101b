import type { AuditKind } from '@ringfence/wire';

/** Store of the audit trail. Implementations: a SQLite file; Elasticsearch or OpenSearch data streams in a fleet. */
export interface AuditSink {
  /** Whether executions are separate entries; otherwise the sink reads them from their batch. */
  readonly separateExecutions: boolean;
  /**
   * Resolves when the whole batch is durable. An entry with a known kind and id is not stored again; its offset does
   * not matter, because a recreated log starts at offset 0. Rejects with a `retriable` error when the batch cannot be
   * stored now and may be written again. Resolves to the entries whose searchable documents were rejected permanently;
   * their evidence itself is stored.
   */
  write(batch: AuditBatch): Promise<readonly Rejection[]>;
  /** Returns the heads of the chains that have grown since the last call. */
  heads(): Promise<TrailHeads>;
  stats(): SinkStats;
  /** Closes the sink; nothing can be written afterwards. */
  close(): Promise<void>;
}

export interface Rejection {
  readonly entry: AuditEntry;
  readonly error: Error;
}

/** The end of a chain at some time. Kept outside the store, it proves that no earlier record was rewritten. */
export interface ChainHead {
  readonly topic: string;
  readonly partition: number;
  readonly kind: AuditKind;
  readonly seq: number;
  /** Hex */
  readonly hash: string;
}

export interface TrailHeads {
  /** Name of the trail, created with it and never changed */
  readonly trail: string;
  /** `offset` is the source offset of the chain's last record, or -1 when that record was dropped */
  readonly heads: readonly (ChainHead & { readonly offset: number })[];
}

export interface AuditBatch {
  /** In offset order within each source partition */
  readonly entries: readonly AuditEntry[];
  /** Positions of the source partitions after this batch */
  readonly positions: readonly SourcePosition[];
}

export interface SourcePosition {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the first record of the batch */
  readonly from: number;
  /** Offset after the last record of the batch */
  readonly next: number;
}

/** An AuditRecord before it is chained, with the fields it is indexed by. */
export interface AuditEntry {
  readonly kind: AuditKind;
  /** Unique within its kind */
  readonly id: string;
  /** µs since the epoch; of the first event of a batch */
  readonly timestamp: number;
  /** µs since the epoch; of the last event of a batch */
  readonly until: number;
  readonly hostId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** A framed record */
  readonly payload: Uint8Array;
  /** Entity ids of processes, hex */
  readonly entities: readonly string[];
  /** Bit n is set when the entry has events of kind n (KIND) */
  readonly eventKinds: number;
  /** Number of events of a batch, otherwise 0 */
  readonly eventCount: number;
  /** Text for full-text search; empty when the entry is not searched */
  readonly text: string;
  /** The alert or incident that caused a command; empty for other kinds */
  readonly cause: string;
  /** Set for incidents, of which only the newest version is listed; otherwise null */
  readonly incident: { readonly id: string; readonly version: number } | null;
}

export interface SinkStats {
  /** Entries stored since the sink was opened, by kind */
  readonly stored: Readonly<Record<AuditKind, number>>;
  /** Events in the batches stored since the sink was opened */
  readonly events: number;
  /** Entries that were already stored */
  readonly duplicates: number;
  /** Entries with a stored id but other bytes; the stored entry is kept */
  readonly conflicts: number;
  /** Records that were never delivered: skipped offsets of topics without compaction */
  readonly missed: number;
  /** Entries dropped for lack of space or for age since the trail was created */
  readonly dropped: readonly AuditDrop[];
  /** Size of the payloads before and after compression */
  readonly payloadBytes: number;
  readonly storedBytes: number;
  /** Size of the whole store; 0 when unknown */
  readonly usedBytes: number;
  /** 0 when the store has its own limit */
  readonly maxBytes: number;
}

/** `hold-full`: a hold had no room for it; `released`: a hold that kept it has ended */
export type AuditDropCause = 'disk-bound' | 'age' | 'hold-full' | 'released';

export interface AuditDrop {
  readonly kind: AuditKind;
  readonly cause: AuditDropCause;
  readonly count: number;
  /** Events in dropped batches */
  readonly events: number;
  /** Size of the stored payloads */
  readonly bytes: number;
}
