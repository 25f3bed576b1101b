import type { FieldValue } from '@ringfence/fields';
import type { Automaton } from './automaton.ts';
import type { EventRows } from './event-rows.ts';
import { type EventRow, NO_EVENT, NO_PARTIAL, type PartialRow } from './handles.ts';
import { KeyStates } from './key-states.ts';
import { SEQUENCE_LIMITS } from './limits.ts';
import type { PartialRows } from './partial-rows.ts';
import { type RunWindows, runOf, windowIndexOf } from './run-windows.ts';
import type { Compare, Comparison, SequenceShape } from './shape.ts';

/** A step that must happen. */
interface Stage<Test> {
  readonly bit: number;
  /** Index of the step's window; -1: the step is one event. */
  readonly window: number;
  readonly compares: readonly Comparison<Test>[];
  /** Events that must not come between the previous stage and this one. */
  readonly guards: readonly Guard<Test>[];
  /** The next step comes in runs: an older partial sequence may be nearer to its end. */
  readonly beforeRun: boolean;
}

interface Guard<Test> {
  readonly bit: number;
  readonly compares: readonly Comparison<Test>[];
}

/**
 * Steps in their order. Of the partial sequences that wait for the same step only the newest is kept: it can become
 * everything that an older one can. That is not so where steps are compared with each other or come in runs, so there
 * several are kept. A partial sequence stays when an event extends it, because a later event may extend it better.
 */
export class Ordered<Test> implements Automaton {
  readonly states: KeyStates;
  readonly maxspanUs: number;
  readonly waits: boolean;
  readonly begins: number;
  readonly stages: number;
  readonly #events: EventRows;
  readonly #partials: PartialRows;
  readonly #compare: Compare<Test>;
  readonly #list: readonly Stage<Test>[];
  /** Bits of the events that must not come before the first step. */
  readonly #before: number;
  readonly #after: readonly Guard<Test>[];
  readonly #until: readonly Guard<Test>[];
  readonly #compared: readonly Comparison<Test>[];

  constructor({ steps, maxspanUs }: SequenceShape<Test>, partials: PartialRows, compare: Compare<Test>) {
    const guard = (index: number): Guard<Test> => ({ bit: 1 << index, compares: steps[index]!.compares });
    const stages: Stage<Test>[] = [];
    let guards: Guard<Test>[] = [];
    this.#compare = compare;
    this.#compared = steps.flatMap(({ compares }) => compares);
    this.#until = steps.flatMap(({ kind }, index) => (kind === 'until' ? [guard(index)] : []));
    for (const [step, { kind, compares }] of steps.entries()) {
      if (kind === 'missing') guards.push(guard(step));
      if (kind !== 'event') continue;
      const next = steps.slice(step + 1).find((later) => later.kind === 'event');
      const beforeRun = (next?.runs ?? 1) > 1;
      stages.push({ bit: 1 << step, window: windowIndexOf(steps, step), compares, guards, beforeRun });
      guards = [];
    }
    this.maxspanUs = maxspanUs;
    this.#events = partials.events;
    this.#partials = partials;
    this.#list = stages;
    this.stages = stages.length;
    this.#before = stages[0]!.guards.reduce((bits, { bit }) => bits | bit, 0);
    this.#after = guards;
    this.waits = guards.length > 0;
    this.begins = stages[0]!.bit | this.#before;
    this.states = new KeyStates(
      partials,
      stages.map((stage, index) => this.#capacityOf(stage, index)),
      this.#before !== 0,
    );
  }

  /** The last stage waits until its match is reported; until then further sequences may reach it. */
  #capacityOf({ beforeRun }: Stage<Test>, stage: number): number {
    if (stage === this.stages - 1) return this.waits ? SEQUENCE_LIMITS.waiting : 0;
    return this.#compared.length > 0 || beforeRun ? SEQUENCE_LIMITS.waiting : 1;
  }

  take(at: number, event: EventRow, windows: RunWindows): PartialRow {
    const steps = this.#events.stepsOf(event);
    const last = this.stages - 1;
    let completed = NO_PARTIAL;
    if (this.waits) this.#sift(at, last, this.#after, event, steps);
    // Last stage first, so that the event never extends a partial sequence that it has just added.
    for (let s = last; s > 0; s--) {
      const stage = this.#list[s]!;
      if (completed === NO_PARTIAL && (steps & stage.bit) !== 0) completed = this.#extend(at, s, event, windows);
      this.#sift(at, s - 1, stage.guards, event, steps);
    }
    if (completed === NO_PARTIAL && (steps & this.#list[0]!.bit) !== 0) completed = this.#begin(at, event, windows);
    if ((steps & this.#before) !== 0) this.#guard(at, event);
    for (let s = 0; s <= last; s++) this.#sift(at, s, this.#until, event, steps);
    return completed;
  }

  #guard(at: number, event: EventRow): void {
    const guard = this.states.guard(at);
    if (guard === NO_EVENT || this.#events.timeOf(guard) <= this.#events.timeOf(event)) this.states.setGuard(at, event);
  }

  /** Extends the newest partial sequence that fits; where steps are compared, all that fit. */
  #extend(at: number, s: number, event: EventRow, windows: RunWindows): PartialRow {
    const { words, capacities } = this.states;
    const stage = this.#list[s]!;
    const alertedBy = this.#alertedBy(s, event);
    if (alertedBy === undefined && this.#events.isAlerted(event)) return NO_PARTIAL;
    const sinceUs = this.#events.timeOf(event) - this.maxspanUs;
    const first = this.states.first(at, s - 1);
    const end = first + capacities[s - 1]!;
    for (let i = first; i < end && words[i] !== 0; i++) {
      const previous = words[i]! as PartialRow;
      if (this.#partials.startOf(previous) < sinceUs || this.#partials.isAlerted(previous, alertedBy)) continue;
      if (!this.#fits(stage.compares, previous, s - 1, event)) continue;
      const partial = this.#stepBehind(s, previous, event, windows, sinceUs, alertedBy);
      if (partial === NO_PARTIAL) continue;
      if (this.#isEnd(s)) return partial;
      this.#queue(at, s, partial, event, sinceUs);
      if (this.#compared.length === 0) return NO_PARTIAL;
    }
    return NO_PARTIAL;
  }

  #begin(at: number, event: EventRow, windows: RunWindows): PartialRow {
    const alertedBy = this.#alertedBy(0, event);
    if (alertedBy === undefined && this.#events.isAlerted(event)) return NO_PARTIAL;
    const sinceUs = this.#events.timeOf(event) - this.maxspanUs;
    const guard = this.states.guard(at);
    if (guard !== NO_EVENT && this.#events.timeOf(guard) >= sinceUs) return NO_PARTIAL;
    const partial = this.#stepBehind(0, NO_PARTIAL, event, windows, sinceUs, alertedBy);
    if (partial === NO_PARTIAL || this.#isEnd(0)) return partial;
    this.#queue(at, 0, partial, event, sinceUs);
    return NO_PARTIAL;
  }

  /** Whether reaching stage `s` completes the sequence. */
  #isEnd(s: number): boolean {
    return s === this.stages - 1 && !this.waits;
  }

  /**
   * Returns the moment at which alerted events are excluded from stage `s`: before `event` came, or by now (undefined)
   * if using them would raise another alert.
   */
  #alertedBy(s: number, event: EventRow): EventRow | undefined {
    return this.#isEnd(s) && !this.#events.hasCompleted(event) ? undefined : event;
  }

  /** Queues a partial sequence that has reached stage `s`, and releases the caller's reference. */
  #queue(at: number, s: number, partial: PartialRow, event: EventRow, sinceUs: number): void {
    if (s === this.stages - 1) this.#finish(at, partial, event, sinceUs);
    else {
      if (this.states.capacities[s]! > 1) this.#makeRoom(at, s, partial, sinceUs);
      this.states.push(at, s, partial);
    }
    this.#partials.release(partial);
  }

  /** Queues a sequence behind the last stage, where it waits until no forbidden event can come. */
  #finish(at: number, partial: PartialRow, event: EventRow, sinceUs: number): void {
    const { states } = this;
    const s = this.stages - 1;
    states.filter(at, s, (waiting) => !this.#partials.isAlerted(waiting, event));
    // An older sequence that is still within its span has waited longer and takes precedence.
    if (!states.queue(at, s).some((waiting) => this.#partials.startOf(waiting) >= sinceUs)) states.push(at, s, partial);
  }

  /**
   * Before a step with runs, the newest entry is dropped when the stage is full, because the oldest are nearest to the
   * end of a run. Where steps are compared, an entry that the new one makes redundant is dropped.
   */
  #makeRoom(at: number, s: number, partial: PartialRow, sinceUs: number): void {
    const { beforeRun } = this.#list[s]!;
    const { states } = this;
    states.filter(
      at,
      s,
      (waiting) => this.#partials.startOf(waiting) >= sinceUs && (beforeRun || !this.#isLike(waiting, partial, s)),
    );
    if (beforeRun && states.length(at, s) === states.capacities[s]) states.shift(at, s);
  }

  /** Whether two partial sequences behind stage `s` have the same compared values: an event fits both or neither. */
  #isLike(first: PartialRow, second: PartialRow, s: number): boolean {
    return this.#compared.every(
      ({ stage, earlier: kept }) =>
        stage > s || sameValue(this.#valueIn(first, s, stage, kept), this.#valueIn(second, s, stage, kept)),
    );
  }

  /** Releases the partial sequences behind stage `s` that an event ends. */
  #sift(at: number, s: number, guards: readonly Guard<Test>[], event: EventRow, steps: number): void {
    for (let i = 0; i < guards.length; i++) {
      const { bit, compares } = guards[i]!;
      if ((steps & bit) === 0 || this.states.newest(at, s) === NO_PARTIAL) continue;
      if (compares.length === 0 && s < this.stages - 1) this.states.cut(at, s, 0);
      else
        this.states.filter(
          at,
          s,
          (partial) => this.#isOver(s, partial, event) || !this.#fits(compares, partial, s, event),
        );
    }
  }

  /** Whether a sequence has reached the last stage and its span was over before the event. */
  #isOver(s: number, partial: PartialRow, event: EventRow): boolean {
    return s === this.stages - 1 && this.#partials.startOf(partial) < this.#events.timeOf(event) - this.maxspanUs;
  }

  /** Adds stage `s` behind `previous` (0: the stage is the first). Returns 0 if a run is not complete. */
  #stepBehind(
    s: number,
    previous: PartialRow,
    event: EventRow,
    windows: RunWindows,
    sinceUs: number,
    alertedBy: EventRow | undefined,
  ): PartialRow {
    const { window, compares } = this.#list[s]!;
    if (window === -1) return this.#partials.add(previous, event);
    const events = this.#events;
    const accepts = (candidate: EventRow): boolean =>
      !events.isAlerted(candidate, alertedBy) && this.#fits(compares, previous, s - 1, candidate);
    const after = previous === NO_PARTIAL ? NO_EVENT : this.#partials.eventOf(previous);
    const run = runOf(events, windows[window]!, event, after, sinceUs, accepts);
    return run === undefined ? NO_PARTIAL : this.#partials.add(previous, event, run);
  }

  /** Whether the step's comparisons hold between an event and a partial sequence that has reached stage `reached`. */
  #fits(compares: readonly Comparison<Test>[], partial: PartialRow, reached: number, event: EventRow): boolean {
    for (let i = 0; i < compares.length; i++) {
      const { test, tested, earlier, stage } = compares[i]!;
      if (stage > reached) return false;
      const value = this.#events.detailsOf(event).values[tested];
      if (!this.#compare(test, value, this.#valueIn(partial, reached, stage, earlier))) return false;
    }
    return true;
  }

  /** Returns a kept value of stage `stage` of a partial sequence that has reached stage `reached`. */
  #valueIn(partial: PartialRow, reached: number, stage: number, kept: number): FieldValue {
    let step = partial;
    for (let s = reached; s > stage; s--) step = this.#partials.previousOf(step);
    return this.#events.detailsOf(this.#partials.eventOf(step)).values[kept];
  }
}

function sameValue(a: FieldValue, b: FieldValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
