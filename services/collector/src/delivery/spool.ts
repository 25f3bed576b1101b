import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '@ringfence/host-kit';
import { SpoolError } from '../errors.ts';
import type { BatchClass, Tally } from './batch.ts';
import { Segment, type SegmentEntry } from './segment.ts';

const SEGMENT_NAME = /^(security|bulk)-(\d{16})\.spool$/;
const DROPS_FILE = 'dropped.json';
const SEGMENT_MAX_BYTES = 8 << 20;

export interface SpooledBatches {
  /** Order of the last batch */
  readonly upTo: number;
  readonly batches: readonly Buffer[];
}

/** Events of a lane, by what became of them. */
export interface SpoolFlow {
  readonly waiting: number;
  /** Delivered from the spool since the process started */
  readonly delivered: number;
  readonly dropped: number;
}

interface OpenSegment {
  readonly batchClass: BatchClass;
  readonly segment: Segment;
  /** Number of entries that are on the bus */
  delivered: number;
}

/**
 * Keeps batches on disk while the bus takes none: append-only segments of each class, limited in size together. When
 * they are full, the oldest bulk segment is dropped, or else the oldest security segment; lost events are counted by
 * lane and CPU.
 */
export class Spool {
  /** Bytes cut off torn or damaged segments since the process started */
  cutBytes = 0;
  droppedBatches = 0;
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #segmentBytes: number;
  readonly #segments: OpenSegment[] = [];
  /** Lost events by `lane/cpu` */
  readonly #dropped: Map<string, number>;
  /** Delivered events by lane */
  readonly #delivered = new Map<number, number>();
  #order = 0;

  /** Throws SpoolError when the directory cannot be used. */
  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#segmentBytes = Math.min(SEGMENT_MAX_BYTES, maxBytes >> 3);
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      this.#dropped = readDrops(join(path, DROPS_FILE));
      for (const name of readdirSync(path).sort()) this.#reopen(name);
    } catch (cause) {
      throw new SpoolError(path, `the spool can't be opened: ${(cause as Error).message}`, { cause });
    }
  }

  #reopen(name: string): void {
    const batchClass = SEGMENT_NAME.exec(name)?.[1] as BatchClass | undefined;
    if (batchClass === undefined) return;
    const segment = new Segment(join(this.#path, name));
    this.cutBytes += segment.cutBytes;
    this.#order = Math.max(this.#order, segment.entries.at(-1)?.order ?? 0);
    if (segment.entries.length === 0) remove(segment);
    else this.#segments.push({ batchClass, segment, delivered: 0 });
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { segment }) => sum + segment.bytes, 0);
  }

  /** Whether no batch waits. A full disk may leave segments without entries. */
  get isEmpty(): boolean {
    return this.#segments.every(({ segment, delivered }) => delivered === segment.entries.length);
  }

  /** Number of waiting batches. */
  get batches(): number {
    return this.#segments.reduce((sum, { segment, delivered }) => sum + segment.entries.length - delivered, 0);
  }

  flow(lane: number): SpoolFlow {
    const waiting = this.#segments.flatMap(({ segment, delivered }) => segment.entries.slice(delivered));
    const dropped = [...this.#dropped].filter(([key]) => key.startsWith(`${lane}/`));
    return {
      waiting: waiting.reduce((sum, { tally }) => sum + eventsOf(tally, lane), 0),
      delivered: this.#delivered.get(lane) ?? 0,
      dropped: dropped.reduce((sum, [, events]) => sum + events, 0),
    };
  }

  /** Events lost since the run began, across restarts of the agent, because the spool was full or damaged. */
  dropped(lane: number, cpu: number): number {
    return this.#dropped.get(`${lane}/${cpu}`) ?? 0;
  }

  /** Resets the counters of dropped events: a new run numbers its events from 1 again. */
  beginRun(): void {
    if (this.#dropped.size === 0) return;
    this.#dropped.clear();
    this.#saveDrops();
  }

  /** Throws SpoolError when the disk refuses the write even after older segments were dropped. */
  append(batchClass: BatchClass, batch: Buffer, tally: Tally): void {
    while (this.bytes + batch.length > this.#maxBytes && this.#dropOldest(true));
    // On a full disk, a bulk batch does not displace security batches.
    for (;;) {
      try {
        this.#writableSegment(batchClass).append({ order: this.#order + 1, tally, batch });
        this.#order++;
        return;
      } catch (cause) {
        const isFull = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
        if (!isFull || !this.#dropOldest(batchClass === 'security'))
          throw new SpoolError(this.#path, `the spool can't be written: ${(cause as Error).message}`, { cause });
      }
    }
  }

  #writableSegment(batchClass: BatchClass): Segment {
    const last = this.#segments.findLast((open) => open.batchClass === batchClass);
    if (last !== undefined && last.segment.bytes < this.#segmentBytes) return last.segment;
    const name = `${batchClass}-${String(this.#order + 1).padStart(16, '0')}.spool`;
    const segment = new Segment(join(this.#path, name));
    this.#segments.push({ batchClass, segment, delivered: 0 });
    return segment;
  }

  /** Drops the oldest bulk segment or, if allowed, the oldest security segment. Returns false when there is none. */
  #dropOldest(maySecurity: boolean): boolean {
    const waiting = this.#segments.filter(({ segment, delivered }) => delivered < segment.entries.length);
    const index = waiting.findIndex(({ batchClass }) => batchClass === 'bulk');
    const victim = waiting[index >= 0 || !maySecurity ? index : 0];
    if (victim === undefined) return false;
    // Remove the segment first: on a full disk, the counters need its room.
    this.#removeSegment(victim);
    for (const entry of victim.segment.entries.slice(victim.delivered)) this.#countDrop(entry);
    this.#saveDrops();
    return true;
  }

  /** Ignores a full disk: only the next start misses these counters, and ticks report them until then. */
  #saveDrops(): void {
    try {
      writeAtomically(join(this.#path, DROPS_FILE), JSON.stringify([...this.#dropped]));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  #countDrop(entry: SegmentEntry): void {
    this.droppedBatches++;
    for (const [lane, cpu, events] of entry.tally) {
      const key = `${lane}/${cpu}`;
      this.#dropped.set(key, (this.#dropped.get(key) ?? 0) + events);
    }
  }

  /**
   * Returns the oldest batches of both classes in the order of their creation: at least one, and no more after
   * `maxBytes` are reached. They stay in the spool until `markDelivered`.
   */
  peek(maxBytes: number): SpooledBatches {
    const positions = new Map(this.#segments.map((open) => [open, open.delivered]));
    const batches: Buffer[] = [];
    let upTo = 0;
    for (let bytes = 0; bytes < maxBytes; ) {
      const oldest = oldestOf(positions);
      if (oldest === undefined) break;
      const index = positions.get(oldest) as number;
      const entry = oldest.segment.entries[index] as SegmentEntry;
      const batch = oldest.segment.read(entry);
      if (batch === null) {
        this.#dropDamaged(oldest, index);
        continue;
      }
      positions.set(oldest, index + 1);
      batches.push(batch);
      upTo = entry.order;
      bytes += batch.length;
    }
    return { upTo, batches };
  }

  /** Drops an entry that was valid when its file was opened: the disk has damaged it since. */
  #dropDamaged({ segment }: OpenSegment, index: number): void {
    const [entry] = segment.entries.splice(index, 1);
    if (entry === undefined) return;
    this.cutBytes += entry.length;
    this.#countDrop(entry);
    this.#saveDrops();
  }

  /** Records that the batches up to `order` are on the bus, and removes segments that hold no others. */
  markDelivered(order: number): void {
    for (const open of [...this.#segments]) {
      const { entries } = open.segment;
      while (open.delivered < entries.length && (entries[open.delivered] as SegmentEntry).order <= order) {
        for (const [lane, , events] of (entries[open.delivered] as SegmentEntry).tally)
          this.#delivered.set(lane, (this.#delivered.get(lane) ?? 0) + events);
        open.delivered++;
      }
      if (open.delivered === entries.length) this.#removeSegment(open);
    }
  }

  #removeSegment(open: OpenSegment): void {
    this.#segments.splice(this.#segments.indexOf(open), 1);
    remove(open.segment);
  }

  close(): void {
    for (const { segment } of this.#segments.splice(0)) segment.close();
  }
}

/** Returns the segment whose next entry is the oldest, or undefined when none has another entry. */
function oldestOf(positions: ReadonlyMap<OpenSegment, number>): OpenSegment | undefined {
  let oldest: OpenSegment | undefined;
  let order = Number.POSITIVE_INFINITY;
  for (const [open, index] of positions) {
    const entry = open.segment.entries[index];
    if (entry === undefined || entry.order >= order) continue;
    oldest = open;
    order = entry.order;
  }
  return oldest;
}

function eventsOf(tally: Tally, lane: number): number {
  return tally.reduce((sum, [ofLane, , events]) => sum + (ofLane === lane ? events : 0), 0);
}

function remove(segment: Segment): void {
  segment.close();
  rmSync(segment.path, { force: true });
}

/** Returns no counters when their file is damaged: they explain losses, so a start must not fail for them. */
function readDrops(path: string): Map<string, number> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!Array.isArray(parsed)) return new Map();
    const pairs = parsed.filter(
      (pair): pair is [string, number] =>
        Array.isArray(pair) && /^\d+\/\d+$/.test(pair[0]) && Number.isSafeInteger(pair[1]),
    );
    return new Map(pairs);
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
}
