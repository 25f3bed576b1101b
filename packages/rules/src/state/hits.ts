import { LIMITS } from '../limits.ts';
import type { Extras } from './extras.ts';
import { Ids } from './ids.ts';
import { Slab } from './slab.ts';

/** An event that fits steps of a sequence: a row of Hits. 0: none. */
export type Hit = number;

/** A place in the order of a key's hits. */
export interface Place {
  readonly timeUs: number;
  readonly order: number;
}

const LONG_AGO: Place = { timeUs: Number.NEGATIVE_INFINITY, order: 0 };

/** A row: its time (a double: of one that comes too late the earliest that is still open), then these words. */
const STEPS = 2;
const NEWER = 3;
const REFS = 4;
const ORDER = 5;
/** two words, of Ids */
const ID = 6;
const WIDTH = 8;

/** The word of steps: bit n is that it fits step n; those above them, that it is told, and that it has a witness. */
const IS_TOLD = 1 << LIMITS.sequenceSteps;
const HAS_WITNESS = IS_TOLD << 1;
const ALL_STEPS = IS_TOLD - 1;

/** Characters of a witness that count as one more event. */
const WITNESS_SHARE = 256;

/** All that is remembered of events. Who holds one retains it; a new one is held by who adds it. */
export class Hits extends Slab {
  readonly ids: Ids = new Ids();
  readonly #extras: Extras[] = [];
  /** of those that are part of an alert, which is of no other: the last event that came before the alert was told */
  readonly #told = new Map<Hit, Place>();
  #nextOrder = 0;

  constructor() {
    super(WIDTH);
  }

  add(timeUs: number, steps: number, id: string, extras: Extras): Hit {
    const hit = this.takeRow();
    const { words } = this;
    this.doubles[hit >> 1] = timeUs;
    words[hit + STEPS] = (steps & ALL_STEPS) | (extras.witness === '' ? 0 : HAS_WITNESS);
    words[hit + REFS] = 1;
    this.enter(hit);
    this.ids.put(words, hit + ID, id);
    this.#extras[(hit / WIDTH) | 0] = extras;
    return hit;
  }

  /** It is the last that came, of those of the same time too. */
  enter(hit: Hit): void {
    this.words[hit + NEWER] = 0;
    this.words[hit + ORDER] = this.#nextOrder;
    this.#nextOrder = (this.#nextOrder + 1) | 0;
  }

  retain(hit: Hit): void {
    this.words[hit + REFS]!++;
  }

  release(hit: Hit): void {
    const { words } = this;
    if (--words[hit + REFS]! > 0) return;
    if (this.isTold(hit)) this.#told.delete(hit);
    this.ids.drop(words, hit + ID);
    this.giveRow(hit);
  }

  timeOf(hit: Hit): number {
    return this.doubles[hit >> 1]!;
  }

  /** Of one that is in no order yet. */
  setTime(hit: Hit, timeUs: number): void {
    this.doubles[hit >> 1] = timeUs;
  }

  stepsOf(hit: Hit): number {
    return this.words[hit + STEPS]! & ALL_STEPS;
  }

  idOf(hit: Hit): string {
    return this.ids.get(this.words, hit + ID);
  }

  extrasOf(hit: Hit): Extras {
    return this.#extras[(hit / WIDTH) | 0]!;
  }

  /** Below 0: it comes before `other` in the order of their key; above 0: behind it. */
  compare(hit: Hit, other: Hit): number {
    return this.timeOf(hit) - this.timeOf(other) || (this.words[hit + ORDER]! - this.words[other + ORDER]!) | 0;
  }

  /** The one after it among the recent of its key; 0: none. */
  newerOf(hit: Hit): Hit {
    return this.words[hit + NEWER]!;
  }

  setNewer(hit: Hit, newer: Hit): void {
    this.words[hit + NEWER] = newer;
  }

  /** How many events' memory it takes, about. */
  sizeOf(hit: Hit): number {
    if ((this.words[hit + STEPS]! & HAS_WITNESS) === 0) return 1;
    return 1 + Math.ceil(this.extrasOf(hit).witness.length / WITNESS_SHARE);
  }

  /** @param hit 0: before all that are in an order */
  placeOf(hit: Hit): Place {
    return hit === 0 ? LONG_AGO : { timeUs: this.timeOf(hit), order: this.words[hit + ORDER]! };
  }

  /** It is part of an alert, told when the last event that had come was at `place`. */
  tell(hit: Hit, place: Place): void {
    this.words[hit + STEPS]! |= IS_TOLD;
    this.#told.set(hit, place);
  }

  /** It is part of an alert: by now, or when `at` came. */
  isTold(hit: Hit, at?: Hit): boolean {
    if ((this.words[hit + STEPS]! & IS_TOLD) === 0) return false;
    return at === undefined || this.#toldSince(hit, at) < 0;
  }

  /** With it something was complete, and told. */
  isEnd(hit: Hit): boolean {
    return this.isTold(hit) && this.#toldSince(hit, hit) === 0;
  }

  /** Where among `others`, in order, the last is that had come when it was told; -1: before them. */
  toldIn(hit: Hit, others: readonly Hit[]): number {
    return others.findLastIndex((other) => this.#toldSince(hit, other) >= 0);
  }

  /** Below 0: `other` came when it had been told; 0: with `other`; above 0: it was told later. */
  #toldSince(hit: Hit, other: Hit): number {
    const { timeUs, order } = this.#told.get(hit)!;
    return timeUs - this.timeOf(other) || (order - this.words[other + ORDER]!) | 0;
  }
}
