import type { Hit, Hits } from './hits.ts';
import { Slab } from './slab.ts';

/** A step that has happened, and those before it: a row of Links. 0: none. */
export type Link = number;

/** Of a step that comes in runs. */
export interface Run {
  /** in order, the last LIMITS.listedRuns of them */
  readonly hits: readonly Hit[];
  readonly startUs: number;
  readonly count: number;
}

/** A row: when the first event of the whole was (a double), then these words. */
const PREVIOUS = 2;
const HIT = 3;
const REFS = 4;
const HAS_RUN = 5;
const WIDTH = 8;

export const NO_LINKS: readonly Link[] = [];

/** Never changed but for who holds them: who holds one retains it; a new one is held by who adds it. */
export class Links extends Slab {
  readonly hits: Hits;
  readonly #runs = new Map<Link, Run>();

  constructor(hits: Hits) {
    super(WIDTH);
    this.hits = hits;
  }

  /** @param hit the step's event, the last of a run @param run undefined: the step is one event */
  add(previous: Link, hit: Hit, run?: Run): Link {
    const { hits } = this;
    const link = this.takeRow();
    const { words, doubles } = this;
    words[link + PREVIOUS] = previous;
    words[link + HIT] = hit;
    words[link + REFS] = 1;
    words[link + HAS_RUN] = run === undefined ? 0 : 1;
    doubles[link >> 1] = previous === 0 ? (run?.startUs ?? hits.timeOf(hit)) : doubles[previous >> 1]!;
    if (previous !== 0) this.retain(previous);
    if (run === undefined) hits.retain(hit);
    else {
      this.#runs.set(link, run);
      for (const one of run.hits) hits.retain(one);
    }
    return link;
  }

  /** The same step behind another. */
  copy(link: Link, previous: Link): Link {
    return this.add(previous, this.hitOf(link), this.#runs.get(link));
  }

  retain(link: Link): void {
    this.words[link + REFS]!++;
  }

  release(link: Link): void {
    const { words } = this;
    for (let one = link; one !== 0 && --words[one + REFS]! === 0; ) {
      const previous = words[one + PREVIOUS]!;
      if (words[one + HAS_RUN] === 0) this.hits.release(words[one + HIT]!);
      else {
        for (const hit of this.#runs.get(one)!.hits) this.hits.release(hit);
        this.#runs.delete(one);
      }
      this.giveRow(one);
      one = previous;
    }
  }

  /** µs, of the first event of the whole. */
  startOf(link: Link): number {
    return this.doubles[link >> 1]!;
  }

  previousOf(link: Link): Link {
    return this.words[link + PREVIOUS]!;
  }

  hitOf(link: Link): Hit {
    return this.words[link + HIT]!;
  }

  /** Events of its step, in order. */
  hitsOf(link: Link): readonly Hit[] {
    return this.words[link + HAS_RUN] === 0 ? [this.hitOf(link)] : this.#runs.get(link)!.hits;
  }

  /** Events of its step, those included that were merged into one. */
  countOf(link: Link): number {
    return this.words[link + HAS_RUN] === 0 ? this.hits.extrasOf(this.hitOf(link)).weight : this.#runs.get(link)!.count;
  }

  /** All steps of a sequence as far as it has come, in their order. */
  stepsOf(link: Link): Link[] {
    const links: Link[] = [];
    for (let one = link; one !== 0; one = this.previousOf(one)) links.push(one);
    return links.reverse();
  }

  /** Some of it is part of an alert: by now, or when `at` came. */
  isTold(link: Link, at?: Hit): boolean {
    const { words } = this;
    for (let one = link; one !== 0; one = words[one + PREVIOUS]!) {
      if (words[one + HAS_RUN] === 0) {
        if (this.hits.isTold(words[one + HIT]!, at)) return true;
      } else if (this.#runs.get(one)!.hits.some((hit) => this.hits.isTold(hit, at))) return true;
    }
    return false;
  }

  /** All of it is part of an alert that is told now. @param last the newest event by now */
  tell(link: Link, last: Hit): void {
    for (let one = link; one !== 0; one = this.previousOf(one))
      for (const hit of this.hitsOf(one)) this.hits.tell(hit, last);
  }
}
