import type { FieldValue } from '@ringfence/fields';
import { EventIds } from './event-ids.ts';
import { type EventRow, NO_EVENT } from './handles.ts';
import { SEQUENCE_LIMITS } from './limits.ts';
import { RowAllocator } from './row-allocator.ts';

/** Facts about an event beyond its time, steps and id. Immutable, because many events share one object. */
export interface EventDetails {
  /** How many events this one stands for. */
  readonly weight: number;
  /** Values by index in the sequence's `kept`; empty: no value is kept. */
  readonly values: readonly FieldValue[];
  /** The event in its caller's encoding, for an alert that is raised later; empty: not kept. */
  readonly witness: string;
}

export const NO_DETAILS: EventDetails = { weight: 1, values: [], witness: '' };

/** A position in the order of a key's events. */
export interface Position {
  readonly timeUs: number;
  readonly order: number;
}

const BEFORE_ALL: Position = { timeUs: Number.NEGATIVE_INFINITY, order: 0 };

/**
 * A row starts with the event's time (a double; for an event that is too late, the earliest time that is still open).
 * These words follow.
 */
const STEPS = 2;
const NEWER = 3;
const REFS = 4;
const ORDER = 5;
/** Two words, of EventIds. */
const ID = 6;
const WIDTH = 8;

/** The word of steps: bit n is set if the event fits step n. Above: it is part of an alert; it has a witness. */
const IS_ALERTED = 1 << SEQUENCE_LIMITS.sequenceSteps;
const HAS_WITNESS = IS_ALERTED << 1;
const ALL_STEPS = IS_ALERTED - 1;

/** Characters of a witness that count as one more event. */
const WITNESS_SHARE = 256;

/** Remembered events, reference-counted: add() returns a row with one reference. */
export class EventRows extends RowAllocator<EventRow> {
  readonly ids: EventIds = new EventIds();
  readonly #details: EventDetails[] = [];
  /** For each event that is part of an alert: the position of the newest event when the alert was raised. */
  readonly #alertedAt = new Map<EventRow, Position>();
  #nextOrder = 0;

  constructor() {
    super(WIDTH);
  }

  add(timeUs: number, steps: number, id: string, details: EventDetails): EventRow {
    const event = this.allocate();
    const { words } = this;
    this.doubles[event >> 1] = timeUs;
    words[event + STEPS] = (steps & ALL_STEPS) | (details.witness === '' ? 0 : HAS_WITNESS);
    words[event + REFS] = 1;
    this.setNewest(event);
    this.ids.put(words, event + ID, id);
    this.#details[(event / WIDTH) | 0] = details;
    return event;
  }

  /** Places an event behind all others of its time, with no newer neighbour. */
  setNewest(event: EventRow): void {
    this.words[event + NEWER] = 0;
    this.words[event + ORDER] = this.#nextOrder;
    this.#nextOrder = (this.#nextOrder + 1) | 0;
  }

  retain(event: EventRow): void {
    this.words[event + REFS]!++;
  }

  release(event: EventRow): void {
    const { words } = this;
    if (--words[event + REFS]! > 0) return;
    if (this.isAlerted(event)) this.#alertedAt.delete(event);
    this.ids.release(words, event + ID);
    this.free(event);
  }

  timeOf(event: EventRow): number {
    return this.doubles[event >> 1]!;
  }

  /** Changes the time of an event that is in no order yet. */
  setTime(event: EventRow, timeUs: number): void {
    this.doubles[event >> 1] = timeUs;
  }

  stepsOf(event: EventRow): number {
    return this.words[event + STEPS]! & ALL_STEPS;
  }

  idOf(event: EventRow): string {
    return this.ids.get(this.words, event + ID);
  }

  detailsOf(event: EventRow): EventDetails {
    return this.#details[(event / WIDTH) | 0]!;
  }

  /** Returns a negative number if `first` comes before `second` in the order of their key, a positive one if behind. */
  compare(first: EventRow, second: EventRow): number {
    return this.timeOf(first) - this.timeOf(second) || (this.words[first + ORDER]! - this.words[second + ORDER]!) | 0;
  }

  /** Returns the next newer event among the recent ones of the key; 0: none. */
  newerOf(event: EventRow): EventRow {
    return this.words[event + NEWER]! as EventRow;
  }

  setNewer(event: EventRow, newer: EventRow): void {
    this.words[event + NEWER] = newer;
  }

  /** Approximate memory, in events. */
  sizeOf(event: EventRow): number {
    if ((this.words[event + STEPS]! & HAS_WITNESS) === 0) return 1;
    return 1 + Math.ceil(this.detailsOf(event).witness.length / WITNESS_SHARE);
  }

  /** @param event 0: the position before every event */
  positionOf(event: EventRow): Position {
    return event === NO_EVENT ? BEFORE_ALL : { timeUs: this.timeOf(event), order: this.words[event + ORDER]! };
  }

  /** Marks an event as part of an alert that was raised when the newest event was at `position`. */
  markAlerted(event: EventRow, position: Position): void {
    this.words[event + STEPS]! |= IS_ALERTED;
    this.#alertedAt.set(event, position);
  }

  /** Whether an event is part of an alert: by now, or, with `at`, before the event `at` came. */
  isAlerted(event: EventRow, at?: EventRow): boolean {
    if ((this.words[event + STEPS]! & IS_ALERTED) === 0) return false;
    return at === undefined || this.#alertedSince(event, at) < 0;
  }

  /** Whether this event completed a sequence that was reported. */
  hasCompleted(event: EventRow): boolean {
    return this.isAlerted(event) && this.#alertedSince(event, event) === 0;
  }

  /** Returns the index of the last of `candidates` (in order) that had come by the time of the alert; -1: none. */
  alertIndexIn(event: EventRow, candidates: readonly EventRow[]): number {
    return candidates.findLastIndex((candidate) => this.#alertedSince(event, candidate) >= 0);
  }

  /** Negative: the alert was raised before `candidate` came; 0: with `candidate`; positive: later. */
  #alertedSince(event: EventRow, candidate: EventRow): number {
    const { timeUs, order } = this.#alertedAt.get(event)!;
    return timeUs - this.timeOf(candidate) || (order - this.words[candidate + ORDER]!) | 0;
  }
}
