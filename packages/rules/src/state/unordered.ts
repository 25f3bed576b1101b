import type { Sequence } from '../sequence.ts';
import type { Hit } from './hit.ts';
import { type Automaton, isSpent, type Link, NO_LINKS, type Partial, runOf, type Windows } from './partial.ts';

/** All steps within the span, in whatever order. Of each the last counts; one event may stand for several steps. */
export class Unordered implements Automaton {
  readonly start: Partial;
  completed: Link | undefined;
  readonly maxspanUs: number;
  readonly waits = false;
  readonly begins = -1;
  readonly #stages: readonly { readonly step: number; readonly bit: number; readonly runs: number }[];
  readonly #untilBits: number;

  constructor({ steps, maxspanUs }: Sequence<unknown>) {
    this.maxspanUs = maxspanUs;
    this.#stages = steps.flatMap(({ kind, runs }, step) => (kind === 'event' ? [{ step, bit: 1 << step, runs }] : []));
    this.#untilBits = steps.reduce((bits, { kind }, step) => (kind === 'until' ? bits | (1 << step) : bits), 0);
    this.start = { waiting: this.#stages.map(() => NO_LINKS), guardUs: Number.NEGATIVE_INFINITY };
  }

  take(partial: Partial, hit: Hit, windows: Windows): Partial {
    this.completed = undefined;
    const sinceUs = hit.timeUs - this.maxspanUs;
    const waiting = partial.waiting.map((links) =>
      links.filter((link) => link.startUs >= sinceUs && !isSpent(link, hit)),
    );
    for (const [s, { step, bit, runs }] of this.#stages.entries()) {
      if ((hit.steps & bit) === 0) continue;
      const link = linked(step, runs, hit, windows, sinceUs);
      if (link !== undefined) waiting[s] = [link];
    }
    if (waiting.every((links) => links.length > 0)) {
      this.completed = chained(waiting.map(([link]) => link!));
      return this.start;
    }
    return (hit.steps & this.#untilBits) === 0 ? { ...partial, waiting } : this.start;
  }

  due(partial: Partial): { partial: Partial; completed: readonly Link[] } {
    return { partial, completed: NO_LINKS };
  }
}

function linked(step: number, runs: number, hit: Hit, windows: Windows, sinceUs: number): Link | undefined {
  if (runs === 1) return { previous: undefined, hits: [hit], startUs: hit.timeUs, count: hit.weight };
  const run = runOf(windows, step, hit, undefined, sinceUs);
  return run && { previous: undefined, hits: run.hits, startUs: run.startUs, count: run.count };
}

/** As one, in the order of the steps. */
function chained(links: readonly Link[]): Link {
  const startUs = Math.min(...links.map((link) => link.startUs));
  return links.reduce<Link | undefined>((previous, link) => ({ ...link, previous, startUs }), undefined)!;
}
