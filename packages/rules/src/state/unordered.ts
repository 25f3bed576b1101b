import type { Sequence } from '../sequence.ts';
import type { Hit } from './hit.ts';
import { type Automaton, isSpent, Link, NO_LINKS, type Partial, startOf } from './partial.ts';
import { runOf, type Windows } from './windows.ts';

/** All steps within the span, in whatever order. Of each the last counts; one event may stand for several steps. */
export class Unordered implements Automaton {
  readonly start: Partial;
  completed: Link | undefined;
  readonly maxspanUs: number;
  readonly waits = false;
  readonly begins = -1;
  readonly stages: number;
  readonly #list: readonly { readonly step: number; readonly bit: number; readonly runs: number }[];
  readonly #untilBits: number;

  constructor({ steps, maxspanUs }: Sequence<unknown>) {
    this.maxspanUs = maxspanUs;
    this.#list = steps.flatMap(({ kind, runs }, step) => (kind === 'event' ? [{ step, bit: 1 << step, runs }] : []));
    this.stages = this.#list.length;
    this.#untilBits = steps.reduce((bits, { kind }, step) => (kind === 'until' ? bits | (1 << step) : bits), 0);
    this.start = [...this.#list, undefined].map(() => undefined);
  }

  take(partial: Partial, hit: Hit, windows: Windows): Partial {
    this.completed = undefined;
    const sinceUs = hit.timeUs - this.maxspanUs;
    const next = partial.map((link) =>
      link === undefined || startOf(link) < sinceUs || isSpent(link, hit) ? undefined : link,
    );
    for (const [s, { step, bit, runs }] of this.#list.entries()) {
      if ((hit.steps & bit) === 0) continue;
      next[s] = linked(step, runs, hit, windows, sinceUs) ?? next[s];
    }
    const links = next.filter((link) => link !== undefined);
    if (links.length === this.stages) {
      this.completed = chained(links);
      return this.start;
    }
    return (hit.steps & this.#untilBits) === 0 ? next : this.start;
  }

  due(partial: Partial): { partial: Partial; completed: readonly Link[] } {
    return { partial, completed: NO_LINKS };
  }
}

function linked(step: number, runs: number, hit: Hit, windows: Windows, sinceUs: number): Link | undefined {
  if (runs === 1) return new Link(undefined, hit);
  const run = runOf(windows, step, hit, undefined, sinceUs);
  return run && new Link(undefined, hit, run);
}

/** As one, in the order of the steps. */
function chained(links: readonly Link[]): Link {
  return links.reduce<Link | undefined>((previous, { hit, run }) => new Link(previous, hit, run), undefined)!;
}
