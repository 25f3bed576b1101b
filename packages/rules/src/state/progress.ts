import type { FieldValue } from '../catalogue.ts';
import type { Automaton } from './automaton.ts';
import type { Key } from './key-rows.ts';

/** What one key of a sequence has come to, to be looked at. */
export class Progress {
  readonly #automaton: Automaton;
  readonly #key: Key;

  constructor(automaton: Automaton, key: Key) {
    this.#automaton = automaton;
    this.#key = key;
  }

  /** µs: by event step, when the newest that waits behind it began; undefined: none does. */
  starts(): (number | undefined)[] {
    const { partials } = this.#automaton;
    return partials.rooms.map((_, s) => {
      const link = partials.newest(partials.now(this.#key), s);
      return link === 0 ? undefined : partials.links.startOf(link);
    });
  }

  /** By window: how many events of a run there are since then. */
  runs(sinceUs: number): { readonly step: number; readonly runs: number; readonly count: number }[] {
    const { partials } = this.#automaton;
    const { hits } = partials;
    return partials.windowsOf(this.#key).map(({ step, runs, hits: window }) => {
      const open = window.filter((hit) => hits.timeOf(hit) >= sinceUs && !hits.isTold(hit));
      return { step, runs, count: open.reduce((sum, hit) => sum + hits.extrasOf(hit).weight, 0) };
    });
  }

  /** What the newest unfinished sequence has of an event step; undefined: none has come so far. */
  keptValue(stage: number, kept: number): FieldValue {
    const { partials } = this.#automaton;
    for (let reached = partials.rooms.length - 1; reached >= stage; reached--) {
      const newest = partials.newest(partials.now(this.#key), reached);
      const link = newest === 0 ? undefined : partials.links.stepsOf(newest)[stage];
      if (link !== undefined) return partials.hits.extrasOf(partials.links.hitOf(link)).values[kept];
    }
    return undefined;
  }
}
