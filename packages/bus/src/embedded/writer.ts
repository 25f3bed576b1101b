import { checkRecord, checkState } from '../limits.ts';
import { partitionOf } from '../murmur2.ts';
import type { Effect, OutRecord } from '../port.ts';
import { type PartitionLog, RECORD_OVERHEAD } from './partition-log.ts';
import { SHARE, type Space } from './space.ts';
import type { Store } from './store.ts';

/** How long an offset that came with nothing else may be only in memory, ms. */
const OFFSETS_LATER_MS = 100;

interface Placed {
  readonly log: PartitionLog;
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Everything that changes the bus: one transaction a call; who waits for it is woken only after. */
export class Writer {
  readonly store: Store;
  readonly #space: Space;
  /** group → partitions whose offset in memory is ahead of the file's */
  readonly #ahead: Map<string, Set<number>> = new Map();
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

  /** Offsets alone: many a batch has no effect, and a transaction for each would cost more than handling it did. */
  commitLater(group: string, offsets: ReadonlyMap<PartitionLog, number>): void {
    const ahead = this.#ahead.get(group) ?? new Set();
    this.#ahead.set(group, ahead);
    for (const [log, next] of offsets) {
      this.store.groups.set(group, log.id, next);
      ahead.add(log.id);
    }
    this.#timer ??= setTimeout(() => this.#saveOffsets(), OFFSETS_LATER_MS);
  }

  /** What fails is tried again: until then a crash would only mean that more is delivered again. */
  #saveOffsets(): void {
    this.#timer = undefined;
    try {
      this.flush();
    } catch (error) {
      this.store.options.log?.warn({ err: error }, 'offsets could not be written; it is tried again');
      this.#timer = setTimeout(() => this.#saveOffsets(), OFFSETS_LATER_MS);
    }
  }

  /** Writes the offsets that are only in memory. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#ahead.size === 0) return;
    const { groups } = this.store;
    this.store.transaction(() => {
      for (const [group, partitions] of this.#ahead)
        for (const id of partitions) groups.save(group, id, groups.get(group, id) ?? 0);
    });
    this.#ahead.clear();
  }

  /** Before the file is closed. A full disk must not keep the process from ending: then those records come again. */
  stop(): void {
    this.#saveOffsets();
    clearTimeout(this.#timer);
  }

  /** From now on retention waits for the group. */
  join(group: string, logs: readonly PartitionLog[]): void {
    const missing = logs.filter((log) => this.store.groups.get(group, log.id) === undefined);
    if (missing.length === 0) return;
    this.store.transaction(() => {
      for (const log of missing) this.store.groups.save(group, log.id, log.first);
    });
    for (const log of missing) this.store.groups.set(group, log.id, log.first);
  }

  #append(placed: readonly Placed[], touched: Set<PartitionLog>): void {
    const now = this.store.options.now();
    for (const { log, key, value } of placed) {
      touched.add(log);
      log.append(key, value, now);
    }
  }

  /** Checks every record before anything is written. */
  #place(records: readonly OutRecord[]): { readonly placed: readonly Placed[]; readonly bytes: number } {
    const placed: Placed[] = [];
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
