import type { Slots } from '../slots.ts';
import type { Entries } from './entries.ts';
import type { Condition, Junction } from './junction.ts';

/** ms, of which the differences count. */
export type Clock = () => number;

/** Where a condition is a junction, or one negated or remembered. */
export type Junctions = Map<Condition, Junction>;

/** ns of an event's time that samples may take: the longer one took, the more events go by until the next. */
const SHARE = 2;
/** Events until the first one. */
const FIRST = 64;
/** Entries that one sample is taken of, and those that are looked through for what was asked of the event. */
const SAMPLED = 4;
const LOOKED_AT = 1_024;
/** Parts that one sample asks, all in all. */
const ASKED = 64;
const CALIBRATIONS = 64;

/**
 * Measures on some events what the parts of conditions cost and how often they decide, and puts them in the order that costs least. It asks after the event
 * has been judged, each part as if it came first, so that nothing that it does can change what is reported.
 */
export class Meter<E> {
  readonly #slots: Slots<E>;
  readonly #entries: Entries<E>;
  readonly #junctions: Junctions;
  readonly #clock: Clock;
  #left = FIRST;
  /** the entry that is looked at first: all have their turn */
  #first = 0;
  #asked = 0;
  /** conditions that were asked of the event: the more there are, the likelier another one has read a field before */
  #readers = 1;
  /** ns that looking at the clock takes */
  readonly #looking: number;

  constructor(slots: Slots<E>, entries: Entries<E>, junctions: Junctions, clock: Clock) {
    this.#slots = slots;
    this.#entries = entries;
    this.#junctions = junctions;
    this.#clock = clock;
    this.#looking = calibrated(clock);
  }

  /** Of each event, once it is judged. */
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
