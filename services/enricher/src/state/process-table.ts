import { nanosToMicros, u64High, u64Low } from '@ringfence/wire';
import { ProcessEntry } from './process.ts';

/** Released processes that may still be in the queue. */
const RELEASED_KEPT = 16;

/** Every process of one boot, by number and start. Ended ones stay for a while, and as long as a child of theirs is here. */
export class ProcessTable {
  readonly #byPid = new Map<number, ProcessEntry>();
  /** in the order of first sight */
  readonly #all = new Set<ProcessEntry>();
  /** ended, in that order, until their time is over */
  #ended: ProcessEntry[] = [];
  #endedAt = 0;
  readonly #dirty: ProcessEntry[] = [];
  readonly #gone: ProcessEntry[] = [];
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

  /** `bytes[at, at + 8)` is the start. */
  find(tgid: number, bytes: Buffer, at: number): ProcessEntry | null {
    return this.findBy(tgid, u64Low(bytes, at), u64High(bytes, at));
  }

  findBy(tgid: number, low: number, high: number): ProcessEntry | null {
    let entry = this.#byPid.get(tgid) ?? null;
    while (entry !== null && (entry.startLow !== low || entry.startHigh !== high)) entry = entry.older;
    return entry;
  }

  /** The process that had the number at a time (µs, CLOCK_BOOTTIME). */
  at(tgid: number, ktime: number): ProcessEntry | null {
    let entry = this.#byPid.get(tgid) ?? null;
    while (entry !== null && nanosToMicros(entry.start) > ktime) entry = entry.older;
    return entry;
  }

  /** The process, or a placeholder for it. */
  findOrAdd(tgid: number, bytes: Buffer, at: number, tick: number): ProcessEntry {
    const found = this.find(tgid, bytes, at);
    if (found !== null) return found;
    if (this.#all.size >= this.#max) this.#makeRoom();
    const entry = new ProcessEntry(tgid, startAt(bytes, at), this.nextOrdinal++);
    this.add(entry);
    this.touch(entry);
    // Its number is in use again, so the one before has ended, whoever missed it.
    for (let older = entry.older; older !== null; older = older.older) {
      if (older.exitTick < 0 && entry.startedAfter(older)) this.end(older, tick);
    }
    return entry;
  }

  /** Puts an entry in its place; restoring calls it in the order of ordinals. */
  add(entry: ProcessEntry): void {
    entry.older = this.#byPid.get(entry.tgid) ?? null;
    this.#byPid.set(entry.tgid, entry);
    this.#all.add(entry);
  }

  /** Only an older process can be a parent; anything else is no tree. */
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

  /** Restoring: puts the ended back in their queue, as it was after the sweep at `tick`. */
  requeue(tick: number): void {
    for (const entry of this.#all) entry.waiting = entry.exitTick >= 0 && entry.exitTick + this.#keptTicks <= tick;
    const queued = [...this.#all].filter(({ exitTick, waiting }) => exitTick >= 0 && !waiting);
    this.#ended = queued.sort((a, b) => a.exitOrdinal - b.exitOrdinal);
    this.#endedAt = 0;
  }

  /** Lets go of those whose time is over. */
  sweep(tick: number): void {
    for (; this.#endedAt < this.#ended.length; this.#endedAt++) {
      const entry = this.#ended[this.#endedAt] as ProcessEntry;
      if (entry.exitTick + this.#keptTicks > tick) break;
      entry.waiting = true;
      this.#release(entry);
    }
    // What is left of them here would otherwise stay in memory, a kilobyte each, for every host.
    if (this.#endedAt > RELEASED_KEPT && this.#endedAt * 2 > this.#ended.length) {
      this.#ended = this.#ended.slice(this.#endedAt);
      this.#endedAt = 0;
    }
  }

  touch(entry: ProcessEntry): void {
    if (entry.dirty) return;
    entry.dirty = true;
    this.#dirty.push(entry);
  }

  /** What changed and what went since the last call. */
  drain(): { readonly changed: readonly ProcessEntry[]; readonly gone: readonly ProcessEntry[] } {
    const changed = this.#dirty.filter((entry) => this.#all.has(entry));
    for (const entry of this.#dirty) entry.dirty = false;
    this.#dirty.length = 0;
    return { changed, gone: this.#gone.splice(0) };
  }

  /** The ended process goes when nobody needs it, then its ended parent perhaps. */
  #release(entry: ProcessEntry): void {
    for (let one: ProcessEntry | null = entry; one?.waiting === true && one.children === 0; ) {
      const parent: ProcessEntry | null = one.parent;
      if (!this.#all.has(one)) return;
      this.#remove(one);
      if (parent !== null) parent.children--;
      one = parent;
    }
  }

  #remove(entry: ProcessEntry): void {
    this.#all.delete(entry);
    this.#gone.push(entry);
    const head = this.#byPid.get(entry.tgid);
    if (head !== entry) {
      for (let one = head; one !== undefined && one !== null; one = one.older ?? undefined) {
        if (one.older === entry) one.older = entry.older;
      }
    } else if (entry.older === null) this.#byPid.delete(entry.tgid);
    else this.#byPid.set(entry.tgid, entry.older);
  }

  /** A sixteenth goes at once, the ended first: one pass over the rest then cuts the links to them. */
  #makeRoom(): void {
    const wanted = Math.max(1, this.#max >>> 4);
    const victims = new Set(this.#ended.slice(this.#endedAt, this.#endedAt + wanted));
    // Too few have just ended: then those that stay for their children, and those that run, the longest known first.
    if (victims.size < wanted) {
      const others = [...this.#all].filter((entry) => !victims.has(entry));
      others.sort((a, b) => rank(a) - rank(b) || a.ordinal - b.ordinal);
      for (const entry of others.slice(0, wanted - victims.size)) victims.add(entry);
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

/** A copy: a view would keep the whole batch in memory. */
function startAt(bytes: Buffer, at: number): Buffer {
  const start = Buffer.allocUnsafe(8);
  bytes.copy(start, 0, at, at + 8);
  return start;
}
