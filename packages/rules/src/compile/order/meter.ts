import type { Slots } from '../slots.ts';
import type { Entries } from './entries.ts';
import type { Condition, Junction } from './junction.ts';

/** Returns a time in ms; only differences matter. */
export type Clock = () => number;

/** The junction of each condition that is one, or is a negated or cached one. */
export type Junctions = Map<Condition, Junction>;

/** ns of an event's time that samples may take: the longer a sample took, the more events pass before the next. */
const SHARE = 2;
/** Events before the first sample. */
const FIRST = 64;
/** Entries that a sample measures, and entries that it searches for evaluated ones. */
const SAMPLED = 4;
const LOOKED_AT = 1_024;
/** Parts that one sample evaluates in total. */
const ASKED = 64;
const CALIBRATIONS = 64;

/**
 * Measures on some events what the parts of conditions cost and how often they decide, and orders them by it. It
 * measures after the event has been evaluated, each part as if it came first, so it can't change the result.
 */
export class Meter<E> {
  readonly #slots: Slots<E>;
  readonly #entries: Entries<E>;
  readonly #junctions: Junctions;
  readonly #clock: Clock;
  #left = FIRST;
  /** The entry at which the next search starts, so that all entries have their turn. */
  #first = 0;
  #asked = 0;
  /** Conditions evaluated on the event: the more there are, the likelier another one has read a field before. */
  #readers = 1;
  /** ns that reading the clock takes. */
  readonly #looking: number;

  constructor(slots: Slots<E>, entries: Entries<E>, junctions: Junctions, clock: Clock) {
    this.#slots = slots;
    this.#entries = entries;
    this.#junctions = junctions;
    this.#clock = clock;
    this.#looking = calibrated(clock);
  }

  /** Call it for each event after its evaluation. */
  judged(): void {
    if (--this.#left <= 0) this.#sample();
  }

  #sample(): void {
    const start = this.#clock();
    this.#asked = 0;
    const judged = this.#judgedEntries();
    this.#readers = judged.length;
    for (const entry of judged.slice(0, SAMPLED)) {
      const { condition, rest } = this.#entries.list[entry]!;
      this.#measure(condition);
      if (rest !== condition) this.#measure(rest);
    }
    this.#left = Math.max(1, Math.round(((this.#clock() - start) * 1e6) / SHARE));
  }

  #judgedEntries(): number[] {
    const { list } = this.#entries;
    const found: number[] = [];
    for (let looked = 0; looked < Math.min(LOOKED_AT, list.length); looked++) {
      const entry = this.#first++ % list.length;
      if (this.#entries.isJudged(entry)) found.push(entry);
    }
    this.#first %= list.length || 1;
    return found;
  }

  #measure(condition: Condition): void {
    const junction = this.#junctions.get(condition);
    if (junction === undefined || this.#asked >= ASKED) return;
    this.#asked += junction.parts.length;
    junction.sample(this.#ask);
    for (const part of junction.parts) this.#measure(part);
  }

  readonly #ask = (part: Condition): { value: boolean; ns: number } => {
    this.#slots.forget();
    const start = this.#clock();
    const value = part();
    const read = this.#clock();
    part();
    const known = this.#clock() - read;
    const reading = Math.max(0, read - start - known);
    return { value, ns: (known + reading / this.#readers) * 1e6 - this.#looking };
  };
}

function calibrated(clock: Clock): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < CALIBRATIONS; i++) {
    const start = clock();
    least = Math.min(least, clock() - start);
  }
  return least * 1e6;
}
