import { Compactor } from './compactor.ts';
import type { DropCause } from './drops.ts';
import type { PartitionLog } from './partition-log.ts';
import type { Store } from './store.ts';

/** Records deleted in one transaction, which takes some milliseconds at 60 kB each. */
const SLICE = 64;

/**
 * Deletes expired records. A record that a group has not consumed outlives its retention, unless the disk bound needs
 * the room, which is counted as a drop. The newest record of a partition is kept, because it holds the offset.
 */
export class Retention {
  readonly #store: Store;
  readonly #compactors: Map<PartitionLog, Compactor> = new Map();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Processes one slice of every partition. Returns whether there was work. */
  step(): boolean {
    let busy = false;
    for (const log of this.#store.catalog.all()) {
      const worked = log.spec.compacted
        ? this.#compact(log)
        : this.#trim(log, Math.min(this.#expiredTo(log), this.#consumedTo(log)), null);
      busy ||= worked;
    }
    return busy;
  }

  /**
   * Deletes records until at most `liveBytes` are in use, if possible: first expired and consumed records, then the
   * oldest consumed ones, last expired but unconsumed ones. Returns whether it succeeded.
   */
  reclaim(liveBytes: number): boolean {
    const hasRoom = (): boolean => this.#store.liveBytes() <= liveBytes;
    while (!hasRoom() && this.step());
    while (!hasRoom() && this.#deleteOldestConsumed());
    while (!hasRoom() && this.#deleteExpired());
    return hasRoom();
  }

  #compact(log: PartitionLog): boolean {
    const { db, groups, options } = this.#store;
    const compactor = this.#compactors.get(log) ?? new Compactor(db, log);
    this.#compactors.set(log, compactor);
    const before = options.now() - options.tombstoneRetentionMs * 1000;
    const { remove, compactedTo } = compactor.plan(groups.floor(log.id), before);
    const walked = compactedTo > log.compactedTo;
    if (remove.length > 0) {
      this.#store.transaction((touched) => {
        touched.add(log);
        log.remove(remove);
      });
    }
    log.compactedTo = compactedTo;
    return walked || remove.length > 0;
  }

  #deleteOldestConsumed(): boolean {
    let oldest: PartitionLog | null = null;
    let oldestTs = Infinity;
    for (const log of this.#store.catalog.all()) {
      if (isKeptForEver(log) || this.#consumedTo(log) <= log.first) continue;
      const ts = log.at(log.first)?.ts ?? Infinity;
      if (ts < oldestTs) [oldest, oldestTs] = [log, ts];
    }
    return oldest !== null && this.#trim(oldest, this.#consumedTo(oldest), 'early');
  }

  #deleteExpired(): boolean {
    let worked = false;
    for (const log of this.#store.catalog.all()) {
      if (log.spec.compacted) continue;
      worked = this.#trim(log, this.#expiredTo(log), 'unconsumed') || worked;
    }
    return worked;
  }

  /** Returns the offset below which all groups have consumed all records, at most that of the newest record. */
  #consumedTo(log: PartitionLog): number {
    return Math.min(this.#store.groups.floor(log.id), log.next - 1);
  }

  /** Returns the offset below which records have expired by age or size. */
  #expiredTo(log: PartitionLog): number {
    const { retentionMs, retentionBytes } = log.spec;
    let bound = log.first;
    if (retentionMs !== Infinity) {
      const cutoff = this.#store.options.now() - retentionMs * 1000;
      const oldest = log.at(log.first);
      if (oldest !== undefined && oldest.ts < cutoff) bound = log.seek(cutoff);
    }
    const excess = log.bytes - retentionBytes;
    if (excess > 0) {
      const average = log.bytes / Math.max(1, log.next - log.first);
      bound = Math.max(bound, log.first + Math.max(1, Math.floor(excess / average)));
    }
    return bound;
  }

  #trim(log: PartitionLog, bound: number, cause: DropCause | null): boolean {
    const to = Math.min(bound, log.next - 1, log.first + SLICE);
    if (to <= log.first) return false;
    this.#store.transaction((touched) => {
      touched.add(log);
      const { records, bytes } = log.trim(to);
      if (cause !== null) this.#store.drops.add(log.topic, cause, records, bytes);
    });
    return true;
  }
}

function isKeptForEver(log: PartitionLog): boolean {
  const { compacted, retentionMs, retentionBytes } = log.spec;
  return compacted || (retentionMs === Infinity && retentionBytes === Infinity);
}
