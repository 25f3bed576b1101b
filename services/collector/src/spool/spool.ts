import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '@ringfence/host-kit';
import { SpoolError } from '../errors.ts';
import { type Entry, Segment, type Tally } from './segment.ts';

/** Two rows of segments, so that file noise can be dropped and execs kept. */
export type SpoolClass = 'security' | 'bulk';
const NAME = /^(security|bulk)-(\d{16})\.spool$/;
const DROPS_FILE = 'dropped.json';

export interface Waiting {
  /** order of the last one */
  readonly upTo: number;
  readonly batches: readonly Buffer[];
}

interface Held {
  readonly kind: SpoolClass;
  readonly segment: Segment;
  /** entries already taken */
  taken: number;
}

/**
 * Where batches wait while the bus is away. Append-only files of limited size; when all of them are used up the oldest bulk segment is dropped,
 * then the oldest security one, and each event lost is counted by its lane and CPU.
 */
export class Spool {
  /** bytes cut off torn or damaged segments since the process started */
  cutBytes = 0;
  droppedBatches = 0;
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #segmentBytes: number;
  readonly #segments: Held[] = [];
  /** events lost by `lane/cpu` */
  readonly #dropped: Map<string, number>;
  /** events gone to the bus by lane */
  readonly #moved = new Map<number, number>();
  #order = 0;

  /** Throws SpoolError when the directory can't be used. */
  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#segmentBytes = Math.min(8 << 20, maxBytes >> 3);
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      this.#dropped = readDrops(join(path, DROPS_FILE));
      for (const name of readdirSync(path).sort()) this.#reopen(name);
    } catch (cause) {
      throw new SpoolError(path, `the spool can't be opened: ${(cause as Error).message}`, { cause });
    }
  }

  #reopen(name: string): void {
    const kind = NAME.exec(name)?.[1] as SpoolClass | undefined;
    if (kind === undefined) return;
    const segment = new Segment(join(this.#path, name));
    this.cutBytes += segment.cut;
    this.#order = Math.max(this.#order, segment.entries.at(-1)?.order ?? 0);
    if (segment.entries.length === 0) remove(segment);
    else this.#segments.push({ kind, segment, taken: 0 });
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { segment }) => sum + segment.bytes, 0);
  }

  /** Nothing waits. A segment without anything is what a full disk leaves. */
  get empty(): boolean {
    return this.#segments.every(({ segment, taken }) => taken === segment.entries.length);
  }

  /** Batches waiting. */
  get batches(): number {
    return this.#segments.reduce((sum, { segment, taken }) => sum + segment.entries.length - taken, 0);
  }

  /** Events by lane: what waits, and what has gone to the bus since the process started. */
  flow(lane: number): { readonly waiting: number; readonly moved: number; readonly dropped: number } {
    const rest = this.#segments.flatMap(({ segment, taken }) => segment.entries.slice(taken));
    const dropped = this.lanesDropped().filter(([of]) => of === lane);
    return {
      waiting: rest.reduce((sum, { tally }) => sum + eventsOf(tally, lane), 0),
      moved: this.#moved.get(lane) ?? 0,
      dropped: dropped.reduce((sum, [, cpu]) => sum + this.dropped(lane, cpu), 0),
    };
  }

  /** Events dropped because the spool was full, since the run began: through restarts of the agent. */
  dropped(lane: number, cpu: number): number {
    return this.#dropped.get(`${lane}/${cpu}`) ?? 0;
  }

  /** Numbers of lanes begin anew, and so does what was dropped of them. */
  beginRun(): void {
    if (this.#dropped.size === 0) return;
    this.#dropped.clear();
    this.#keepDrops();
  }

  lanesDropped(): readonly (readonly [lane: number, cpu: number])[] {
    return [...this.#dropped.keys()].map((key) => key.split('/').map(Number) as [number, number]);
  }

  /** Written when it returns. Throws SpoolError when the disk refuses even after older segments were dropped. */
  append(kind: SpoolClass, batch: Buffer, tally: Tally): void {
    while (this.bytes + batch.length > this.#maxBytes && this.#dropOldest(null));
    for (;;) {
      try {
        this.#writable(kind).append({ order: this.#order + 1, tally, batch });
        this.#order++;
        return;
      } catch (cause) {
        const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
        if (!full || !this.#dropOldest(kind))
          throw new SpoolError(this.#path, `the spool can't be written: ${(cause as Error).message}`, { cause });
      }
    }
  }

  #writable(kind: SpoolClass): Segment {
    const last = this.#segments.findLast((held) => held.kind === kind);
    if (last !== undefined && last.segment.bytes < this.#segmentBytes) return last.segment;
    const name = `${kind}-${String(this.#order + 1).padStart(16, '0')}.spool`;
    const segment = new Segment(join(this.#path, name));
    this.#segments.push({ kind, segment, taken: 0 });
    return segment;
  }

  /** `wanted`: for whom room is made; a bulk batch never drives out a security one. */
  #dropOldest(wanted: SpoolClass | null): boolean {
    const held = this.#segments.filter(({ segment, taken }) => taken < segment.entries.length);
    const index = held.findIndex(({ kind }) => kind === 'bulk');
    const victim = held[index >= 0 || wanted === 'bulk' ? index : 0];
    if (victim === undefined) return false;
    // Its room may be all that the counters have.
    this.#forget(victim);
    for (const entry of victim.segment.entries.slice(victim.taken)) this.#countDrop(entry);
    this.#keepDrops();
    return true;
  }

  /** A full disk keeps only the next start from knowing why; the ticks tell it meanwhile. */
  #keepDrops(): void {
    try {
      writeAtomically(join(this.#path, DROPS_FILE), JSON.stringify([...this.#dropped]));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  #countDrop(entry: Entry): void {
    this.droppedBatches++;
    for (const [lane, cpu, events] of entry.tally) {
      const key = `${lane}/${cpu}`;
      this.#dropped.set(key, (this.#dropped.get(key) ?? 0) + events);
    }
  }

  /** The oldest batches of both classes in the order they were made, up to `maxBytes` of them (one always comes). They stay until `taken`. */
  peek(maxBytes: number): Waiting {
    const at = new Map(this.#segments.map((held) => [held, held.taken]));
    const batches: Buffer[] = [];
    let upTo = 0;
    for (let bytes = 0; bytes < maxBytes; ) {
      const held = this.#next(at);
      if (held === undefined) break;
      const index = at.get(held) as number;
      const entry = held.segment.entries[index] as Entry;
      const batch = held.segment.read(entry);
      if (batch === null) {
        this.#loseDamaged(held, index);
        continue;
      }
      at.set(held, index + 1);
      batches.push(batch);
      upTo = entry.order;
      bytes += batch.length;
    }
    return { upTo, batches };
  }

  /** Its checksum was right when the file was opened: the disk went bad under it. */
  #loseDamaged({ segment }: Held, index: number): void {
    const [entry] = segment.entries.splice(index, 1);
    if (entry === undefined) return;
    this.cutBytes += entry.length;
    this.#countDrop(entry);
    this.#keepDrops();
  }

  #next(at: ReadonlyMap<Held, number>): Held | undefined {
    let first: Held | undefined;
    let order = Number.POSITIVE_INFINITY;
    for (const [held, index] of at) {
      const entry = held.segment.entries[index];
      if (entry === undefined || entry.order >= order) continue;
      first = held;
      order = entry.order;
    }
    return first;
  }

  /** The batches up to this order are on the bus. Segments with nothing left go. */
  taken(order: number): void {
    for (const held of [...this.#segments]) {
      const { entries } = held.segment;
      while (held.taken < entries.length && (entries[held.taken] as Entry).order <= order) {
        for (const [lane, , events] of (entries[held.taken] as Entry).tally)
          this.#moved.set(lane, (this.#moved.get(lane) ?? 0) + events);
        held.taken++;
      }
      if (held.taken === entries.length) this.#forget(held);
    }
  }

  #forget(held: Held): void {
    this.#segments.splice(this.#segments.indexOf(held), 1);
    remove(held.segment);
  }

  close(): void {
    for (const { segment } of this.#segments.splice(0)) segment.close();
  }
}

/** How many of a batch's events are of that lane. */
export function eventsOf(tally: Tally, lane: number): number {
  return tally.reduce((sum, [of, , events]) => sum + (of === lane ? events : 0), 0);
}

function remove(segment: Segment): void {
  segment.close();
  rmSync(segment.path, { force: true });
}

/** A damaged file of counters starts them anew: they explain losses, they aren't the losses. */
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
