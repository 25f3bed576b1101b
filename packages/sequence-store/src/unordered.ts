import type { Automaton } from './automaton.ts';
import { type EventRow, NO_EVENT, NO_PARTIAL, type PartialRow } from './handles.ts';
import { KeyStates } from './key-states.ts';
import type { PartialRows } from './partial-rows.ts';
import { type RunWindows, runOf, windowIndexOf } from './run-windows.ts';
import type { SequenceShape } from './shape.ts';

/** All steps within the span, in any order. The last event of each step counts; one event may serve several steps. */
export class Unordered implements Automaton {
  readonly states: KeyStates;
  readonly maxspanUs: number;
  readonly waits = false;
  readonly begins = -1;
  readonly stages: number;
  readonly #partials: PartialRows;
  /** `window`: index of the step's window; -1: the step is one event. */
  readonly #list: readonly { readonly bit: number; readonly window: number }[];
  readonly #untilBits: number;

  constructor({ steps, maxspanUs }: SequenceShape<unknown>, partials: PartialRows) {
    this.maxspanUs = maxspanUs;
    this.#list = steps.flatMap(({ kind }, step) =>
      kind === 'event' ? [{ bit: 1 << step, window: windowIndexOf(steps, step) }] : [],
    );
    this.stages = this.#list.length;
    this.#untilBits = steps.reduce((bits, { kind }, step) => (kind === 'until' ? bits | (1 << step) : bits), 0);
    this.#partials = partials;
    this.states = new KeyStates(
      partials,
      this.#list.map(() => 1),
      false,
    );
  }

  take(at: number, event: EventRow, windows: RunWindows): PartialRow {
    const partials = this.#partials;
    const { states } = this;
    const sinceUs = partials.events.timeOf(event) - this.maxspanUs;
    const steps = partials.events.stepsOf(event);
    for (const [stage, { bit, window }] of this.#list.entries()) {
      const previous = states.newest(at, stage);
      if (previous !== NO_PARTIAL && (partials.startOf(previous) < sinceUs || partials.isAlerted(previous, event)))
        states.cut(at, stage, 0);
      if ((steps & bit) === 0) continue;
      const partial = window === -1 ? partials.add(NO_PARTIAL, event) : this.#run(windows, window, event, sinceUs);
      if (partial === NO_PARTIAL) continue;
      states.push(at, stage, partial);
      partials.release(partial);
    }
    const completed = this.#completed(at, event);
    if (completed !== NO_PARTIAL || (steps & this.#untilBits) !== 0) states.clear(at);
    return completed;
  }

  #run(windows: RunWindows, window: number, event: EventRow, sinceUs: number): PartialRow {
    const { events } = this.#partials;
    const isFree = (candidate: EventRow): boolean => !events.isAlerted(candidate, event);
    const run = runOf(events, windows[window]!, event, NO_EVENT, sinceUs, isFree);
    return run === undefined ? NO_PARTIAL : this.#partials.add(NO_PARTIAL, event, run);
  }

  /** Joins the steps in their order once all of them have come. */
  #completed(at: number, event: EventRow): PartialRow {
    const partials = this.#partials;
    const isNew = !partials.events.hasCompleted(event);
    for (let stage = 0; stage < this.stages; stage++) {
      const partial = this.states.newest(at, stage);
      if (partial === NO_PARTIAL || (isNew && partials.isAlerted(partial))) return NO_PARTIAL;
    }
    let joined = NO_PARTIAL;
    for (let stage = 0; stage < this.stages; stage++) {
      const next = partials.copy(this.states.newest(at, stage), joined);
      partials.release(joined);
      joined = next;
    }
    return joined;
  }
}
