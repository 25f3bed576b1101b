import { nanosToMicros, u64High, u64Low } from '@ringfence/wire';
import { ProcessEntry } from './process.ts';

/** Number of released processes in the queue from which on it is compacted. */
const RELEASED_KEPT = 16;

/** Processes of one boot, by pid and start. Ended ones stay for `keptTicks`, and as long as they have a known child. */
export class ProcessTable {
  readonly #byPid = new Map<number, ProcessEntry>();
  /** in the order of first events */
  readonly #all = new Set<ProcessEntry>();
  /** ended processes in the order of their exits, until their time is over */
  #ended: ProcessEntry[] = [];
  /** index of the first one that is not released */
  #endedAt = 0;
  readonly #dirty: ProcessEntry[] = [];
  readonly #removed: ProcessEntry[] = [];
  readonly #max: number;
  readonly #keptTicks: number;
  nextOrdinal = 1;
  nextExitOrdinal = 1;
  evicted = 0;

  constructor(max: number, keptTicks: number) {
    this.#max = max;
    this.#keptTicks = keptTicks;
  }

  get size(): number {
    return this.#all.size;
  }

  entries(): Iterable<ProcessEntry> {
    return this.#all;
  }

  /** `bytes[at, at + 8)` is the start time. */
  find(tgid: number, bytes: Buffer, at: number): ProcessEntry | null {
    return this.findBy(tgid, u64Low(bytes, at), u64High(bytes, at));
  }

  findBy(tgid: number, low: number, high: number): ProcessEntry | null {
    let entry = this.#byPid.get(tgid) ?? null;
    while (entry !== null && (entry.startLow !== low || entry.startHigh !== high)) entry = entry.older;
    return entry;
  }

  /** Returns the process that had the pid at a time (µs, CLOCK_BOOTTIME). */
  at(tgid: number, ktime: number): ProcessEntry | null {
    let entry = this.#byPid.get(tgid) ?? null;
    while (entry !== null && nanosToMicros(entry.start) > ktime) entry = entry.older;
    return entry;
  }

  /** Returns the process, or a new placeholder for it. */
  findOrAdd(tgid: number, bytes: Buffer, at: number, tick: number): ProcessEntry {
    const found = this.find(tgid, bytes, at);
    if (found !== null) return found;
    if (this.#all.size >= this.#max) this.#makeRoom();
    const entry = new ProcessEntry(tgid, startAt(bytes, at), this.nextOrdinal++);
    this.add(entry);
    this.touch(entry);
    // A reused pid proves that the previous process has ended, even if its exit was lost.
    for (let older = entry.older; older !== null; older = older.older) {
      if (older.exitTick < 0 && entry.startedAfter(older)) this.end(older, tick);
    }
    return entry;
  }

  /** Must be called in the order of ordinals. */
  add(entry: ProcessEntry): void {
    entry.older = this.#byPid.get(entry.tgid) ?? null;
    this.#byPid.set(entry.tgid, entry);
    this.#all.add(entry);
  }

  /** Ignores a parent that is younger than its child, because a cycle of parents must not arise. */
  link(entry: ProcessEntry, parent: ProcessEntry): void {
    if (entry.parent === parent || parent === entry || parent.startedAfter(entry)) return;
    if (entry.parent !== null) entry.parent.children--;
    entry.parent = parent;
    parent.children++;
    this.touch(entry);
  }

  end(entry: ProcessEntry, tick: number): void {
    if (entry.exitTick >= 0) return;
    entry.exitTick = tick;
    entry.exitOrdinal = this.nextExitOrdinal++;
    this.#ended.push(entry);
    this.touch(entry);
  }

  /** Rebuilds the queue of ended processes after a restore, as it was after the sweep at `tick`. */
  requeue(tick: number): void {
    for (const entry of this.#all) entry.waiting = entry.exitTick >= 0 && entry.exitTick + this.#keptTicks <= tick;
    const queued = [...this.#all].filter(({ exitTick, waiting }) => exitTick >= 0 && !waiting);
    this.#ended = queued.sort((a, b) => a.exitOrdinal - b.exitOrdinal);
    this.#endedAt = 0;
  }

  /** Releases ended processes whose time is over. */
  sweep(tick: number): void {
    for (; this.#endedAt < this.#ended.length; this.#endedAt++) {
      const entry = this.#ended[this.#endedAt] as ProcessEntry;
      if (entry.exitTick + this.#keptTicks > tick) break;
      entry.waiting = true;
      this.#release(entry);
    }
    // The queue would otherwise keep released entries in memory, a kilobyte each, for every host.
    if (this.#endedAt > RELEASED_KEPT && this.#endedAt * 2 > this.#ended.length) {
      this.#ended = this.#ended.slice(this.#endedAt);
      this.#endedAt = 0;
    }
  }

  /** Marks an entry as changed. */
  touch(entry: ProcessEntry): void {
    if (entry.dirty) return;
    entry.dirty = true;
    this.#dirty.push(entry);
  }

  /** Returns the entries that changed and those that were removed since the last call. */
  drain(): { readonly changed: readonly ProcessEntry[]; readonly removed: readonly ProcessEntry[] } {
    const changed = this.#dirty.filter((entry) => this.#all.has(entry));
    for (const entry of this.#dirty) entry.dirty = false;
    this.#dirty.length = 0;
    return { changed, removed: this.#removed.splice(0) };
  }

  /** Removes an ended process without children, then its ancestors for which the same is true. */
  #release(entry: ProcessEntry): void {
    for (let process: ProcessEntry | null = entry; process?.waiting === true && process.children === 0; ) {
      const parent: ProcessEntry | null = process.parent;
      if (!this.#all.has(process)) return;
      this.#remove(process);
      if (parent !== null) parent.children--;
      process = parent;
    }
  }

  #remove(entry: ProcessEntry): void {
    this.#all.delete(entry);
    this.#removed.push(entry);
    const head = this.#byPid.get(entry.tgid);
    if (head !== entry) {
      for (let process = head; process !== undefined; process = process.older ?? undefined) {
        if (process.older === entry) process.older = entry.older;
      }
    } else if (entry.older === null) this.#byPid.delete(entry.tgid);
    else this.#byPid.set(entry.tgid, entry.older);
  }

  /** Evicts a sixteenth of the entries, ended ones first: links to them are then cut in one pass over the rest. */
  #makeRoom(): void {
    const wanted = Math.max(1, this.#max >>> 4);
    const victims = new Set(this.#ended.slice(this.#endedAt, this.#endedAt + wanted));
    // If that is not enough: ended ones that only their children keep, then running ones, the longest known first.
    if (victims.size < wanted) {
      const candidates = [...this.#all].filter((entry) => !victims.has(entry));
      candidates.sort((a, b) => rank(a) - rank(b) || a.ordinal - b.ordinal);
      for (const entry of candidates.slice(0, wanted - victims.size)) victims.add(entry);
    }
    for (const victim of victims) {
      this.#remove(victim);
      this.evicted++;
      if (victim.parent !== null) victim.parent.children--;
      victim.parent = null;
      victim.waiting = false;
    }
    for (const entry of this.#all) {
      if (entry.parent === null || !victims.has(entry.parent)) continue;
      entry.parent = null;
      this.touch(entry);
    }
    this.#ended = this.#ended.slice(this.#endedAt).filter((entry) => !victims.has(entry));
    this.#endedAt = 0;
  }
}

const rank = (entry: ProcessEntry): number => (entry.exitTick >= 0 ? 0 : 1);

/** Returns a copy, because a view would keep the whole batch in memory. */
function startAt(bytes: Buffer, at: number): Buffer {
  const start = Buffer.allocUnsafe(8);
  bytes.copy(start, 0, at, at + 8);
  return start;
}
