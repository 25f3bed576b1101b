import { checkRecord, checkState } from '../limits.ts';
import { partitionOf } from '../murmur2.ts';
import type { ConsumerOptions, Effect, OutRecord } from '../port.ts';
import { type PartitionLog, RECORD_OVERHEAD } from './partition-log.ts';
import { SHARE, type Space } from './space.ts';
import type { Store } from './store.ts';

/** How long an offset without outputs and state may stay in memory only, ms. */
const OFFSETS_DELAY_MS = 100;

interface PlacedRecord {
  readonly log: PartitionLog;
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Writes to the bus, one transaction for each call. Waiting consumers are woken after the transaction. */
export class Writer {
  readonly store: Store;
  readonly #space: Space;
  /** Partition ids by group whose offsets are not in the file yet. */
  readonly #unsaved: Map<string, Set<number>> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(store: Store, space: Space) {
    this.store = store;
    this.#space = space;
  }

  produce(records: readonly OutRecord[]): void {
    if (records.length === 0) return;
    const { placed, bytes } = this.#place(records);
    this.#space.admit(bytes, SHARE.produce);
    this.store.transaction((touched) => this.#append(placed, touched), bytes);
    this.#space.wrote(bytes);
  }

  commit(group: string, offsets: ReadonlyMap<PartitionLog, number>, effect: Effect, consumedBytes: number): void {
    for (const change of effect.state) checkState(change);
    const { placed, bytes: outputBytes } = this.#place(effect.outputs);
    const bytes = effect.state.reduce((sum, { value }) => sum + RECORD_OVERHEAD + (value?.length ?? 0), outputBytes);
    if (bytes > 0) this.#space.admit(bytes, bytes * 2 <= consumedBytes ? SHARE.release : SHARE.forward);
    this.store.transaction((touched) => {
      this.#append(placed, touched);
      for (const change of effect.state) this.store.state.apply(change);
      for (const [log, next] of offsets) this.store.groups.save(group, log.id, next);
    }, bytes);
    for (const [log, next] of offsets) this.store.groups.set(group, log.id, next);
    this.#space.wrote(bytes + RECORD_OVERHEAD);
  }

  /**
   * Saves offsets with a delay. Many batches have no effect, and a transaction for each would cost more than the batch.
   */
  commitLater(group: string, offsets: ReadonlyMap<PartitionLog, number>): void {
    const ahead = this.#unsaved.get(group) ?? new Set();
    this.#unsaved.set(group, ahead);
    for (const [log, next] of offsets) {
      this.store.groups.set(group, log.id, next);
      ahead.add(log.id);
    }
    this.#timer ??= setTimeout(() => this.#saveOffsets(), OFFSETS_DELAY_MS);
  }

  /** Retries after a failure. Until then a crash would redeliver more records, which is harmless. */
  #saveOffsets(): void {
    this.#timer = undefined;
    try {
      this.flush();
    } catch (error) {
      this.store.options.log?.warn({ err: error }, 'cannot save offsets; retrying');
      this.#timer = setTimeout(() => this.#saveOffsets(), OFFSETS_DELAY_MS);
    }
  }

  /** Saves the offsets that are in memory only. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#unsaved.size === 0) return;
    const { groups } = this.store;
    this.store.transaction(() => {
      for (const [group, partitions] of this.#unsaved)
        for (const id of partitions) groups.save(group, id, groups.get(group, id) ?? 0);
    });
    this.#unsaved.clear();
  }

  /** Saves offsets before the close. On a full disk they are lost, and their records are redelivered. */
  stop(): void {
    this.#saveOffsets();
    clearTimeout(this.#timer);
  }

  /** Adds a group. Retention waits for it from now on if it holds retention. */
  join({ group, start = 'earliest', holdsRetention = true }: ConsumerOptions, logs: readonly PartitionLog[]): void {
    const { groups } = this.store;
    this.store.transaction(() => groups.setHolding(group, holdsRetention));
    const missing = logs.filter((log) => groups.get(group, log.id) === undefined);
    if (missing.length === 0) return;
    const startOf = (log: PartitionLog): number => (start === 'earliest' ? log.first : log.next);
    this.store.transaction(() => {
      for (const log of missing) groups.save(group, log.id, startOf(log));
    });
    for (const log of missing) groups.set(group, log.id, startOf(log));
  }

  #append(placed: readonly PlacedRecord[], touched: Set<PartitionLog>): void {
    const now = this.store.options.now();
    for (const { log, key, value } of placed) {
      touched.add(log);
      log.append(key, value, now);
    }
  }

  /** Checks all records before anything is written, and chooses their partitions. */
  #place(records: readonly OutRecord[]): { readonly placed: readonly PlacedRecord[]; readonly bytes: number } {
    const placed: PlacedRecord[] = [];
    let bytes = 0;
    for (const { topic, key, value } of records) {
      const logs = this.store.catalog.partitions(topic);
      const log = logs[partitionOf(key, logs.length)]!;
      const size = checkRecord(topic, key, value, log.spec.compacted);
      bytes += size + RECORD_OVERHEAD;
      placed.push({ log, key, value });
    }
    return { placed, bytes };
  }
}
