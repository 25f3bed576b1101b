import type { EventRows } from './event-rows.ts';
import { type EventRow, type KeyRow, NO_EVENT, NO_PARTIAL, type PartialRow } from './handles.ts';
import { HEAD, KeyRows } from './key-rows.ts';
import type { PartialRows } from './partial-rows.ts';

const STATES = 3;

/**
 * The states of a sequence's keys. A state is a queue of partial sequences for each stage, newest first, and for a
 * guarded sequence the last event that must not come before the first step. A key's row holds three states: the current
 * one, the one behind its middle event, and the one before its recent events. Methods take the index where a state
 * starts, `at`.
 */
export class KeyStates extends KeyRows {
  readonly events: EventRows;
  readonly partials: PartialRows;
  /** By stage: how many partial sequences may wait behind it. */
  readonly capacities: readonly number[];
  /** Words of one state. */
  readonly size: number;
  /** An event may keep the first step from starting: the last word of a state is the newest one. */
  readonly guarded: boolean;
  readonly #starts: readonly number[];

  constructor(partials: PartialRows, capacities: readonly number[], guarded: boolean) {
    const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
    const size = total(capacities) + (guarded ? 1 : 0);
    super(STATES * size);
    this.events = partials.events;
    this.partials = partials;
    this.capacities = capacities;
    this.size = size;
    this.guarded = guarded;
    this.#starts = capacities.map((_, stage) => total(capacities.slice(0, stage)));
  }

  /** Releases everything that a key's states hold. */
  close(key: KeyRow): void {
    this.clear(this.current(key));
    this.clear(this.middle(key));
    this.clear(this.before(key));
  }

  current(key: KeyRow): number {
    return key + HEAD;
  }

  middle(key: KeyRow): number {
    return key + HEAD + this.size;
  }

  before(key: KeyRow): number {
    return key + HEAD + 2 * this.size;
  }

  clear(at: number): void {
    for (let stage = 0; stage < this.capacities.length; stage++) this.cut(at, stage, 0);
    if (this.guarded) this.setGuard(at, NO_EVENT);
  }

  copy(from: number, to: number): void {
    const { words, partials, size, guarded } = this;
    const end = guarded ? size - 1 : size;
    for (let i = 0; i < end; i++) {
      const partial = words[from + i]! as PartialRow;
      const previous = words[to + i]! as PartialRow;
      if (partial === previous) continue;
      if (partial !== NO_PARTIAL) partials.retain(partial);
      if (previous !== NO_PARTIAL) partials.release(previous);
      words[to + i] = partial;
    }
    if (guarded) this.setGuard(to, this.guard(from));
  }

  /** Returns the index of a stage's newest entry. Older entries follow, up to a 0 or the stage's capacity. */
  first(at: number, stage: number): number {
    return at + this.#starts[stage]!;
  }

  newest(at: number, stage: number): PartialRow {
    return this.capacities[stage] === 0 ? NO_PARTIAL : (this.words[at + this.#starts[stage]!]! as PartialRow);
  }

  length(at: number, stage: number): number {
    const { words } = this;
    const first = this.first(at, stage);
    const capacity = this.capacities[stage]!;
    let length = 0;
    while (length < capacity && words[first + length] !== 0) length++;
    return length;
  }

  /** Returns a stage's entries, newest first. */
  queue(at: number, stage: number): PartialRow[] {
    const first = this.first(at, stage);
    return [...this.words.subarray(first, first + this.length(at, stage))] as PartialRow[];
  }

  /** Adds the newest entry of a stage. A full stage releases its oldest entry. */
  push(at: number, stage: number, partial: PartialRow): void {
    const { words } = this;
    const first = this.first(at, stage);
    const end = first + this.capacities[stage]! - 1;
    const oldest = words[end]! as PartialRow;
    if (oldest !== NO_PARTIAL) this.partials.release(oldest);
    words.copyWithin(first + 1, first, end);
    words[first] = partial;
    this.partials.retain(partial);
  }

  /** Releases the newest entry of a stage. */
  shift(at: number, stage: number): void {
    const { words } = this;
    const first = this.first(at, stage);
    const end = first + this.capacities[stage]!;
    const newest = words[first]! as PartialRow;
    if (newest !== NO_PARTIAL) this.partials.release(newest);
    words.copyWithin(first, first + 1, end);
    words[end - 1] = 0;
  }

  /** Releases all but the newest `length` entries of a stage. */
  cut(at: number, stage: number, length: number): void {
    const { words } = this;
    const first = this.first(at, stage);
    for (let i = first + length; i < first + this.capacities[stage]! && words[i] !== 0; i++) {
      this.partials.release(words[i]! as PartialRow);
      words[i] = 0;
    }
  }

  /** Releases the entries of a stage for which `keep` returns false. */
  filter(at: number, stage: number, keep: (partial: PartialRow) => boolean): void {
    const { words } = this;
    const first = this.first(at, stage);
    const length = this.length(at, stage);
    let kept = first;
    for (let i = first; i < first + length; i++) {
      const partial = words[i]! as PartialRow;
      if (keep(partial)) words[kept++] = partial;
      else this.partials.release(partial);
    }
    words.fill(0, kept, first + length);
  }

  guard(at: number): EventRow {
    return this.guarded ? (this.words[at + this.size - 1]! as EventRow) : NO_EVENT;
  }

  /** Sets the guard of a guarded sequence. */
  setGuard(at: number, event: EventRow): void {
    const previous = this.guard(at);
    if (previous === event) return;
    if (event !== NO_EVENT) this.events.retain(event);
    if (previous !== NO_EVENT) this.events.release(previous);
    this.words[at + this.size - 1] = event;
  }

  isEmpty(at: number): boolean {
    for (let i = at; i < at + this.size; i++) if (this.words[i] !== 0) return false;
    return true;
  }

  /** Returns how many events a state holds, about: a shared event counts once for each holder. */
  heldBy(at: number): number {
    let held = 0;
    for (let stage = 0; stage < this.capacities.length; stage++) held += this.length(at, stage) * (stage + 1);
    return held;
  }
}
