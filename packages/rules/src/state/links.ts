import type { Hit, Hits } from './hits.ts';
import { Slab } from './slab.ts';

/** A step that has happened, and those before it: a row of Links. Below 0: a beginning of one event, which is that hit and needs no row. 0: none. */
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
    if (previous === 0 && run === undefined) {
      hits.retain(hit);
      return -hit;
    }
    const link = this.takeRow();
    const { words, doubles } = this;
    words[link + PREVIOUS] = previous;
    words[link + HIT] = hit;
    words[link + REFS] = 1;
    words[link + HAS_RUN] = run === undefined ? 0 : 1;
    doubles[link >> 1] = previous === 0 ? run!.startUs : this.startOf(previous);
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
    return this.add(previous, this.hitOf(link), this.#runOf(link));
  }

  /** Undefined: it is one event. */
  #runOf(link: Link): Run | undefined {
    return link < 0 || this.words[link + HAS_RUN] === 0 ? undefined : this.#runs.get(link);
  }

  retain(link: Link): void {
    if (link < 0) this.hits.retain(-link);
    else this.words[link + REFS]!++;
  }

  release(link: Link): void {
    const { words } = this;
    for (let one = link; one !== 0; ) {
      if (one < 0) {
        this.hits.release(-one);
        return;
      }
      if (--words[one + REFS]! > 0) return;
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
    return link < 0 ? this.hits.timeOf(-link) : this.doubles[link >> 1]!;
  }

  previousOf(link: Link): Link {
    return link < 0 ? 0 : this.words[link + PREVIOUS]!;
  }

  hitOf(link: Link): Hit {
    return link < 0 ? -link : this.words[link + HIT]!;
  }

  /** Events of its step, in order. */
  hitsOf(link: Link): readonly Hit[] {
    return this.#runOf(link)?.hits ?? [this.hitOf(link)];
  }

  /** Events of its step, those included that were merged into one. */
  countOf(link: Link): number {
    return this.#runOf(link)?.count ?? this.hits.extrasOf(this.hitOf(link)).weight;
  }

  /** All steps of a sequence as far as it has come, in their order. */
  stepsOf(link: Link): Link[] {
    const links: Link[] = [];
    for (let one = link; one !== 0; one = this.previousOf(one)) links.push(one);
    return links.reverse();
  }

  /** Some of it is part of an alert: by now, or when `at` came. */
  isTold(link: Link, at?: Hit): boolean {
    for (let one = link; one !== 0; one = this.previousOf(one)) {
      const run = this.#runOf(one);
      if (run === undefined ? this.hits.isTold(this.hitOf(one), at) : run.hits.some((hit) => this.hits.isTold(hit, at)))
        return true;
    }
    return false;
  }

  /** All of it is part of an alert that is told now. @param last the newest event by now */
  tell(link: Link, last: Hit): void {
    const place = this.hits.placeOf(last);
    for (let one = link; one !== 0; one = this.previousOf(one))
      for (const hit of this.hitsOf(one)) this.hits.tell(hit, place);
  }
}
