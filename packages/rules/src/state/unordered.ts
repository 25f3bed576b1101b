import type { Sequence } from '../sequence.ts';
import type { Automaton } from './automaton.ts';
import type { Hit } from './hits.ts';
import type { Link, Links } from './links.ts';
import { Partials } from './partials.ts';
import { runOf, type Windows, windowOf } from './windows.ts';

/** All steps within the span, in whatever order. Of each the last counts; one event may stand for several steps. */
export class Unordered implements Automaton {
  readonly partials: Partials;
  readonly maxspanUs: number;
  readonly waits = false;
  readonly begins = -1;
  readonly stages: number;
  readonly #links: Links;
  /** `window`: index of the step's window; -1: it is one event */
  readonly #list: readonly { readonly bit: number; readonly window: number }[];
  readonly #untilBits: number;

  constructor({ steps, maxspanUs }: Sequence<unknown>, links: Links) {
    this.maxspanUs = maxspanUs;
    this.#list = steps.flatMap(({ kind }, step) =>
      kind === 'event' ? [{ bit: 1 << step, window: windowOf(steps, step) }] : [],
    );
    this.stages = this.#list.length;
    this.#untilBits = steps.reduce((bits, { kind }, step) => (kind === 'until' ? bits | (1 << step) : bits), 0);
    this.#links = links;
    this.partials = new Partials(
      links,
      this.#list.map(() => 1),
      false,
    );
  }

  take(at: number, hit: Hit, windows: Windows): Link {
    const links = this.#links;
    const { partials } = this;
    const sinceUs = links.hits.timeOf(hit) - this.maxspanUs;
    const steps = links.hits.stepsOf(hit);
    for (const [s, { bit, window }] of this.#list.entries()) {
      const old = partials.newest(at, s);
      if (old !== 0 && (links.startOf(old) < sinceUs || links.isTold(old, hit))) partials.cut(at, s, 0);
      if ((steps & bit) === 0) continue;
      const link = window === -1 ? links.add(0, hit) : this.#run(windows, window, hit, sinceUs);
      if (link === 0) continue;
      partials.push(at, s, link);
      links.release(link);
    }
    const completed = this.#completed(at, hit);
    if (completed !== 0 || (steps & this.#untilBits) !== 0) partials.clear(at);
    return completed;
  }

  #run(windows: Windows, window: number, hit: Hit, sinceUs: number): Link {
    const { hits } = this.#links;
    const run = runOf(hits, windows[window]!, hit, 0, sinceUs, (one) => !hits.isTold(one, hit));
    return run === undefined ? 0 : this.#links.add(0, hit, run);
  }

  /** All steps as one, in their order. */
  #completed(at: number, hit: Hit): Link {
    const links = this.#links;
    const isNew = !links.hits.isEnd(hit);
    for (let s = 0; s < this.stages; s++) {
      const link = this.partials.newest(at, s);
      if (link === 0 || (isNew && links.isTold(link))) return 0;
    }
    let whole = 0;
    for (let s = 0; s < this.stages; s++) {
      const next = links.copy(this.partials.newest(at, s), whole);
      links.release(whole);
      whole = next;
    }
    return whole;
  }
}
