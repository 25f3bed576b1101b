import type { FieldValue } from '@ringfence/fields';
import type { Automaton } from './automaton.ts';
import { type KeyRow, NO_PARTIAL } from './handles.ts';

/** A read-only view of one key's state, for explanations. Valid until the next event. */
export class Progress {
  readonly #automaton: Automaton;
  readonly #key: KeyRow;

  constructor(automaton: Automaton, key: KeyRow) {
    this.#automaton = automaton;
    this.#key = key;
  }

  /** Returns, by stage, the start (µs) of the newest sequence that waits behind it; undefined: none waits. */
  starts(): (number | undefined)[] {
    const { states } = this.#automaton;
    return states.capacities.map((_, stage) => {
      const partial = states.newest(states.current(this.#key), stage);
      return partial === NO_PARTIAL ? undefined : states.partials.startOf(partial);
    });
  }

  /** Returns, for each step that comes in runs, how many events of the run have come since `sinceUs`. */
  runs(sinceUs: number): { readonly step: number; readonly runs: number; readonly count: number }[] {
    const { states } = this.#automaton;
    const { events } = states;
    return states.windowsOf(this.#key).map(({ step, runs, events: window }) => {
      const open = window.filter((event) => events.timeOf(event) >= sinceUs && !events.isAlerted(event));
      return { step, runs, count: open.reduce((sum, event) => sum + events.detailsOf(event).weight, 0) };
    });
  }

  /** Returns a kept value of the newest unfinished sequence's stage; undefined: no sequence has come so far. */
  keptValue(stage: number, kept: number): FieldValue {
    const { states } = this.#automaton;
    for (let reached = states.capacities.length - 1; reached >= stage; reached--) {
      const newest = states.newest(states.current(this.#key), reached);
      const partial = newest === NO_PARTIAL ? undefined : states.partials.stepsOf(newest)[stage];
      if (partial !== undefined) return states.events.detailsOf(states.partials.eventOf(partial)).values[kept];
    }
    return undefined;
  }
}
