import type { Automaton } from './automaton.ts';
import type { EventRows } from './event-rows.ts';
import { type EventRow, type KeyRow, NO_KEY, NO_PARTIAL, type PartialRow } from './handles.ts';
import { encodeKey, hasShape, restoreKey, type SavedKey } from './key-codec.ts';
import { close, heldBy, isIdle, newestOf, takeDue, takeEvent } from './key-events.ts';
import { CHANGED, HELD } from './key-rows.ts';
import type { KeyStates } from './key-states.ts';
import { LateHits } from './late-hits.ts';
import { Ordered } from './ordered.ts';
import { NO_PARTIALS, type PartialRows } from './partial-rows.ts';
import { Progress } from './progress.ts';
import { windowsFor } from './run-windows.ts';
import { matchOf, NO_MATCHES, stagesOfKept } from './sequence-match.ts';
import type { Compare, SequenceMatch, SequenceShape } from './shape.ts';
import { Unordered } from './unordered.ts';

/** What all sequences hold together. */
export interface Totals {
  keys: number;
  /** Events, about. */
  held: number;
}

/** A sequence that is in use. */
interface Plan {
  readonly shape: SequenceShape<unknown>;
  readonly automaton: Automaton;
  /** The result of stagesOfKept. */
  readonly keptIn: readonly number[];
}

/** The state of one sequence: its keys by age. Saved keys wait until the sequence is in use. */
export class SequenceKeys {
  readonly name: string;
  /** Events that its keys hold, about. */
  held = 0;
  /** Saved keys that did not fit the sequence. */
  damaged = 0;
  readonly events: EventRows;
  readonly #partials: PartialRows;
  readonly #totals: Totals;
  readonly #changelog: boolean;
  readonly #lateHits: LateHits;
  readonly #saved = new Map<string, SavedKey>();
  #plan: Plan | undefined;
  #nextOrdinal = 0;
  /** Keys that changed since the changes were taken. */
  #changed: KeyRow[] = [];
  readonly #forgotten = new Set<string>();
  /** Keys with a sequence that completes unless a forbidden event comes. */
  readonly #pending = new Set<KeyRow>();

  /** @param changelog false: changes are not recorded, takeChanged() stays empty */
  constructor(name: string, partials: PartialRows, totals: Totals, changelog: boolean) {
    this.name = name;
    this.events = partials.events;
    this.#changelog = changelog;
    this.#partials = partials;
    this.#totals = totals;
    this.#lateHits = new LateHits(partials.events);
  }

  get size(): number {
    return (this.#plan?.automaton.states.used ?? 0) + this.#saved.size;
  }

  /** Defined once the sequence is in use. */
  get #automaton(): Automaton {
    return this.#plan!.automaton;
  }

  get #states(): KeyStates {
    return this.#automaton.states;
  }

  get #oldest(): KeyRow {
    return this.#plan?.automaton.states.oldest ?? NO_KEY;
  }

  get maxspanUs(): number {
    return this.#plan?.automaton.maxspanUs ?? 0;
  }

  /** Puts the sequence in use and restores its saved keys. Does nothing if it is in use already. */
  use<Test>(shape: SequenceShape<Test>, compare: Compare<Test>): void {
    if (this.#plan !== undefined) return;
    const automaton = shape.ordered
      ? new Ordered(shape, this.#partials, compare)
      : new Unordered(shape, this.#partials);
    this.#plan = { shape, automaton, keptIn: stagesOfKept(shape) };
    const saved = [...this.#saved.values()].sort((a, b) => a.ordinal - b.ordinal);
    for (const key of saved) this.#restore(this.#plan, key);
  }

  /** Adds a saved key. Call it before the first event. */
  restore(saved: SavedKey): void {
    const known = this.#find(saved.key);
    if (known !== NO_KEY) this.forget(known);
    this.#dropSaved(saved.key);
    this.#saved.set(saved.key, saved);
    this.#hold(1, saved.events.length);
    if (this.#plan !== undefined) this.#restore(this.#plan, saved);
  }

  #restore({ automaton, shape }: Plan, saved: SavedKey): void {
    this.#dropSaved(saved.key);
    if (!hasShape(shape, automaton, saved)) {
      // It has the sequence's name but belonged to another sequence.
      this.damaged++;
      this.#noteForgotten(saved.key);
      return;
    }
    const key = restoreKey(automaton, saved);
    this.#hold(1, 0);
    this.#account(key);
    this.#nextOrdinal = Math.max(this.#nextOrdinal, saved.ordinal + 1);
  }

  #dropSaved(key: string): void {
    const saved = this.#saved.get(key);
    if (saved === undefined) return;
    this.#saved.delete(key);
    this.#hold(-1, -saved.events.length);
  }

  /** Adds to the counts of keys and held events; negative numbers subtract. */
  #hold(keys: number, held: number): void {
    this.held += held;
    this.#totals.held += held;
    this.#totals.keys += keys;
  }

  /**
   * Applies an event to the key `text` and returns the matches that it completes.
   * @param clockUs time of the newest event
   * @param openSinceUs the earliest time at which an event may still be placed in order
   */
  take(text: string, event: EventRow, clockUs: number, openSinceUs: number): readonly SequenceMatch[] {
    const completed = this.#takeEvent(text, event, clockUs, openSinceUs);
    return completed.length === 0 ? NO_MATCHES : this.#matchesOf(completed);
  }

  #matchesOf(completed: readonly PartialRow[]): SequenceMatch[] {
    const { keptIn } = this.#plan!;
    return completed.map((partial) => {
      const match = matchOf(keptIn, this.#partials, partial);
      this.#partials.release(partial);
      return match;
    });
  }

  #find(text: string): KeyRow {
    return this.#plan === undefined ? NO_KEY : this.#plan.automaton.states.find(text);
  }

  /** @returns completed sequences, to be released */
  #takeEvent(text: string, event: EventRow, clockUs: number, openSinceUs: number): readonly PartialRow[] {
    const { automaton, shape } = this.#plan!;
    const { states } = automaton;
    const known = states.find(text);
    if (known !== NO_KEY) {
      const completed = takeEvent(automaton, known, event, openSinceUs);
      this.#touch(known);
      return completed;
    }
    if ((this.events.stepsOf(event) & automaton.begins) === 0) {
      this.#lateHits.put(text, event);
      return NO_PARTIALS;
    }
    const key = states.insert(text, this.#nextOrdinal, clockUs, windowsFor(shape.steps));
    const completed = takeEvent(automaton, key, event, openSinceUs);
    if (isIdle(automaton, key)) {
      close(automaton, key);
      this.#lateHits.put(text, event);
      return completed;
    }
    this.#nextOrdinal++;
    this.#hold(1, 0);
    const late = this.#lateHits.of(text, openSinceUs);
    const more = late.flatMap((earlier) => takeEvent(automaton, key, earlier, openSinceUs));
    this.#touch(key);
    return more.length === 0 ? completed : [...completed, ...more];
  }

  #touch(key: KeyRow): void {
    this.#account(key);
    const { words } = this.#states;
    if (words[key + CHANGED] === 1) return;
    words[key + CHANGED] = 1;
    if (this.#changelog) this.#changed.push(key);
  }

  #account(key: KeyRow): void {
    const { waits, stages, states } = this.#automaton;
    const held = heldBy(this.#automaton, key);
    this.#hold(0, held - states.words[key + HELD]!);
    states.words[key + HELD] = held;
    if (!waits) return;
    if (states.newest(states.current(key), stages - 1) !== NO_PARTIAL) this.#pending.add(key);
    else this.#pending.delete(key);
  }

  /**
   * Returns the matches that are complete because no forbidden event came until `nowUs`. They are sorted by their last
   * events, since restored keys have no other common order.
   */
  due(nowUs: number): readonly SequenceMatch[] {
    if (this.#pending.size === 0) return NO_MATCHES;
    const completed: PartialRow[] = [];
    for (const key of this.#pending) {
      const due = takeDue(this.#automaton, key, nowUs);
      if (due === undefined) continue;
      completed.push(...due);
      this.#touch(key);
    }
    const { events } = this;
    const last = (partial: PartialRow): EventRow => this.#partials.eventOf(partial);
    completed.sort(
      (a, b) =>
        events.timeOf(last(a)) - events.timeOf(last(b)) || (events.idOf(last(a)) < events.idOf(last(b)) ? -1 : 1),
    );
    return this.#matchesOf(completed);
  }

  /** Yields the keys, oldest first. The caller may forget the key that it is given. */
  *#keys(): Iterable<KeyRow> {
    for (let key = this.#oldest; key !== NO_KEY; ) {
      const next = this.#states.youngerThan(key);
      yield key;
      key = next;
    }
  }

  /** Forgets the keys whose sequences can't be completed any more at `openSinceUs`. */
  expire(clockUs: number, openSinceUs: number): void {
    const states = this.#states;
    const deadUs = openSinceUs - this.maxspanUs;
    for (let key = states.oldest; key !== NO_KEY && states.sinceOf(key) < deadUs; key = states.oldest) {
      if (newestOf(this.#automaton, key) < deadUs) {
        this.forget(key);
        continue;
      }
      // The key has begun a sequence since: move it behind the keys that have not.
      states.renew(key, this.#nextOrdinal++, clockUs);
      this.#touch(key);
    }
  }

  /** Forgets the keys that hold a time after `timeUs`, and returns their number. */
  forgetAfter(timeUs: number): number {
    let forgotten = 0;
    for (const key of this.#keys()) {
      if (Math.max(this.#states.sinceOf(key), newestOf(this.#automaton, key)) <= timeUs) continue;
      this.forget(key);
      forgotten++;
    }
    return forgotten;
  }

  clear(): void {
    for (const key of this.#keys()) this.forget(key);
    for (const text of this.#saved.keys()) this.#forgetSaved(text);
    this.#lateHits.clear();
  }

  /** Forgets the oldest key; returns false if there is none. */
  forgetOldest(): boolean {
    for (const text of this.#saved.keys()) {
      this.#forgetSaved(text);
      return true;
    }
    const oldest = this.#oldest;
    if (oldest !== NO_KEY) this.forget(oldest);
    return oldest !== NO_KEY;
  }

  #forgetSaved(key: string): void {
    this.#dropSaved(key);
    this.#noteForgotten(key);
  }

  forget(key: KeyRow): void {
    this.#pending.delete(key);
    this.#hold(-1, -this.#states.words[key + HELD]!);
    if (this.#changelog) this.#forgotten.add(this.#states.textOf(key));
    close(this.#automaton, key);
  }

  #noteForgotten(text: string): void {
    if (this.#changelog) this.#forgotten.add(text);
  }

  /** Yields the keys that changed since the last call, with their encoded fields; null: the key was forgotten. */
  *takeChanged(): Iterable<readonly [text: string, fields: readonly unknown[] | null]> {
    const changed = this.#changed;
    this.#changed = [];
    for (const key of changed) {
      const { words } = this.#states;
      // The mark is gone if the key was forgotten; its row may belong to another key now.
      if (words[key + CHANGED] !== 1) continue;
      words[key + CHANGED] = 0;
      yield this.#entry(key);
    }
    for (const text of this.#forgotten) if (this.#find(text) === NO_KEY && !this.#saved.has(text)) yield [text, null];
    this.#forgotten.clear();
  }

  /** Yields every key with its encoded fields. */
  *snapshot(): Iterable<readonly [text: string, fields: readonly unknown[]]> {
    for (const [text, { fields }] of this.#saved) yield [text, fields];
    for (const key of this.#keys()) yield this.#entry(key);
  }

  #entry(key: KeyRow): readonly [text: string, fields: readonly unknown[]] {
    return [this.#states.textOf(key), encodeKey(this.#automaton, key)];
  }

  /** Returns a view of one key; undefined: no sequence has begun for it. Valid until the next event. */
  progress(text: string): Progress | undefined {
    const key = this.#find(text);
    return key === NO_KEY ? undefined : new Progress(this.#automaton, key);
  }
}
