import type { FieldValue } from '../catalogue.ts';
import { holdsBetween } from '../compile/evaluate.ts';
import { LIMITS } from '../limits.ts';
import type { Comparison, Sequence } from '../sequence.ts';
import type { Automaton } from './automaton.ts';
import type { Hit, Hits } from './hits.ts';
import type { Link, Links } from './links.ts';
import { Partials } from './partials.ts';
import { runOf, type Windows, windowOf } from './windows.ts';

/** One step that must happen. */
interface Stage {
  readonly bit: number;
  /** index of the step's window; -1: it is one event */
  readonly window: number;
  readonly compares: readonly Comparison<unknown>[];
  /** what must not happen between the stage before and this one */
  readonly guards: readonly Guard[];
  /** the next one comes in runs: an older sequence may be nearer to its end */
  readonly beforeRun: boolean;
}

interface Guard {
  readonly bit: number;
  readonly compares: readonly Comparison<unknown>[];
}

/**
 * Steps in their order. Of unfinished sequences that wait for the same step the newest goes on: whatever an older one could still become, it can.
 * Where that isn't so, because steps are compared with each other or come in runs, several wait. A beginning stays when it goes on: what comes later
 * may go on from it better.
 */
export class Ordered implements Automaton {
  readonly partials: Partials;
  readonly maxspanUs: number;
  readonly waits: boolean;
  readonly begins: number;
  readonly stages: number;
  readonly #hits: Hits;
  readonly #links: Links;
  readonly #list: readonly Stage[];
  /** bits of what must not happen before the first */
  readonly #before: number;
  readonly #after: readonly Guard[];
  readonly #until: readonly Guard[];
  readonly #compared: readonly Comparison<unknown>[];

  constructor({ steps, maxspanUs }: Sequence<unknown>, links: Links) {
    const guard = (index: number): Guard => ({ bit: 1 << index, compares: steps[index]!.compares });
    const stages: Stage[] = [];
    let guards: Guard[] = [];
    this.#compared = steps.flatMap(({ compares }) => compares);
    this.#until = steps.flatMap(({ kind }, index) => (kind === 'until' ? [guard(index)] : []));
    for (const [step, { kind, compares }] of steps.entries()) {
      if (kind === 'missing') guards.push(guard(step));
      if (kind !== 'event') continue;
      const next = steps.slice(step + 1).find((one) => one.kind === 'event');
      const beforeRun = (next?.runs ?? 1) > 1;
      stages.push({ bit: 1 << step, window: windowOf(steps, step), compares, guards, beforeRun });
      guards = [];
    }
    this.maxspanUs = maxspanUs;
    this.#hits = links.hits;
    this.#links = links;
    this.#list = stages;
    this.stages = stages.length;
    this.#before = stages[0]!.guards.reduce((bits, { bit }) => bits | bit, 0);
    this.#after = guards;
    this.waits = guards.length > 0;
    this.begins = stages[0]!.bit | this.#before;
    this.partials = new Partials(
      links,
      stages.map((stage, s) => this.#roomOf(stage, s)),
      this.#before !== 0,
    );
  }

  /** What has come to its end waits until it is told, which is when others may have come to theirs. */
  #roomOf({ beforeRun }: Stage, s: number): number {
    if (s === this.stages - 1) return this.waits ? LIMITS.waiting : 0;
    return this.#compared.length > 0 || beforeRun ? LIMITS.waiting : 1;
  }

  take(at: number, hit: Hit, windows: Windows): Link {
    const steps = this.#hits.stepsOf(hit);
    const last = this.stages - 1;
    let completed = 0;
    if (this.waits) this.#sift(at, last, this.#after, hit, steps);
    // From the last to the first: what this event brings to a step doesn't wait for it there.
    for (let s = last; s > 0; s--) {
      const stage = this.#list[s]!;
      if (completed === 0 && (steps & stage.bit) !== 0) completed = this.#extend(at, s, hit, windows);
      this.#sift(at, s - 1, stage.guards, hit, steps);
    }
    if (completed === 0 && (steps & this.#list[0]!.bit) !== 0) completed = this.#begin(at, hit, windows);
    if ((steps & this.#before) !== 0) this.#guard(at, hit);
    for (let s = 0; s <= last; s++) this.#sift(at, s, this.#until, hit, steps);
    return completed;
  }

  #guard(at: number, hit: Hit): void {
    const guard = this.partials.guard(at);
    if (guard === 0 || this.#hits.timeOf(guard) <= this.#hits.timeOf(hit)) this.partials.putGuard(at, hit);
  }

  /** Goes on from the newest that fits, and where steps are compared from all that do. */
  #extend(at: number, s: number, hit: Hit, windows: Windows): Link {
    const { words, rooms } = this.partials;
    const stage = this.#list[s]!;
    const told = this.#toldBy(s, hit);
    if (told === undefined && this.#hits.isTold(hit)) return 0;
    const sinceUs = this.#hits.timeOf(hit) - this.maxspanUs;
    const first = this.partials.first(at, s - 1);
    const end = first + rooms[s - 1]!;
    for (let i = first; i < end && words[i] !== 0; i++) {
      const previous = words[i]!;
      if (this.#links.startOf(previous) < sinceUs || this.#links.isTold(previous, told)) continue;
      if (!this.#fits(stage.compares, previous, s - 1, hit)) continue;
      const link = this.#linked(s, previous, hit, windows, sinceUs, told);
      if (link === 0) continue;
      if (this.#isEnd(s)) return link;
      this.#queue(at, s, link, hit, sinceUs);
      if (this.#compared.length === 0) return 0;
    }
    return 0;
  }

  #begin(at: number, hit: Hit, windows: Windows): Link {
    const told = this.#toldBy(0, hit);
    if (told === undefined && this.#hits.isTold(hit)) return 0;
    const sinceUs = this.#hits.timeOf(hit) - this.maxspanUs;
    const guard = this.partials.guard(at);
    if (guard !== 0 && this.#hits.timeOf(guard) >= sinceUs) return 0;
    const link = this.#linked(0, 0, hit, windows, sinceUs, told);
    if (link === 0 || this.#isEnd(0)) return link;
    this.#queue(at, 0, link, hit, sinceUs);
    return 0;
  }

  /** Whoever reaches stage `s` has completed the sequence. */
  #isEnd(s: number): boolean {
    return s === this.stages - 1 && !this.waits;
  }

  /** When what can't reach stage `s` any more was told: when the event came. By now (undefined), if that would be one more alert. */
  #toldBy(s: number, hit: Hit): Hit | undefined {
    return this.#isEnd(s) && !this.#hits.isEnd(hit) ? undefined : hit;
  }

  /** Puts what has reached stage `s` where it waits. */
  #queue(at: number, s: number, link: Link, hit: Hit, sinceUs: number): void {
    if (s === this.stages - 1) this.#finish(at, link, hit, sinceUs);
    else {
      if (this.partials.rooms[s]! > 1) this.#makeRoom(at, s, link, sinceUs);
      this.partials.push(at, s, link);
    }
    this.#links.release(link);
  }

  /** It waits for nothing to come. */
  #finish(at: number, link: Link, hit: Hit, sinceUs: number): void {
    const { partials } = this;
    const s = this.stages - 1;
    partials.filter(at, s, (one) => !this.#links.isTold(one, hit));
    // The older one has waited longer.
    if (!partials.queue(at, s).some((one) => this.#links.startOf(one) >= sinceUs)) partials.push(at, s, link);
  }

  /** In a flood of beginnings the oldest are the nearest to the end of a run; those that wait to be compared are all alike. */
  #makeRoom(at: number, s: number, link: Link, sinceUs: number): void {
    const { beforeRun } = this.#list[s]!;
    const { partials } = this;
    partials.filter(at, s, (one) => this.#links.startOf(one) >= sinceUs && (beforeRun || !this.#isLike(one, link, s)));
    if (beforeRun && partials.length(at, s) === partials.rooms[s]) partials.shift(at, s);
  }

  /** Both wait behind stage `s`, and whatever fits one fits the other. */
  #isLike(one: Link, other: Link, s: number): boolean {
    return this.#compared.every(
      ({ stage, other: kept }) =>
        stage > s || sameValue(this.#valueIn(one, s, stage, kept), this.#valueIn(other, s, stage, kept)),
    );
  }

  /** Takes away what an event ends of what waits behind stage `s`. */
  #sift(at: number, s: number, guards: readonly Guard[], hit: Hit, steps: number): void {
    for (let i = 0; i < guards.length; i++) {
      const { bit, compares } = guards[i]!;
      if ((steps & bit) === 0 || this.partials.newest(at, s) === 0) continue;
      if (compares.length === 0 && s < this.stages - 1) this.partials.cut(at, s, 0);
      else this.partials.filter(at, s, (link) => this.#isOver(s, link, hit) || !this.#fits(compares, link, s, hit));
    }
  }

  /** It has come to its end, and its span is over. */
  #isOver(s: number, link: Link, hit: Hit): boolean {
    return s === this.stages - 1 && this.#links.startOf(link) < this.#hits.timeOf(hit) - this.maxspanUs;
  }

  /** @param previous what waits behind the stage before `s`; 0: nothing must */
  #linked(s: number, previous: Link, hit: Hit, windows: Windows, sinceUs: number, told: Hit | undefined): Link {
    const { window, compares } = this.#list[s]!;
    if (window === -1) return this.#links.add(previous, hit);
    const hits = this.#hits;
    const counts = (one: Hit): boolean => !hits.isTold(one, told) && this.#fits(compares, previous, s - 1, one);
    const after = previous === 0 ? 0 : this.#links.hitOf(previous);
    const run = runOf(hits, windows[window]!, hit, after, sinceUs, counts);
    return run === undefined ? 0 : this.#links.add(previous, hit, run);
  }

  /** Whether an event stands to those before it, which have reached `reached`, as the step asks. */
  #fits(compares: readonly Comparison<unknown>[], link: Link, reached: number, hit: Hit): boolean {
    for (let i = 0; i < compares.length; i++) {
      const { test, own, other, stage } = compares[i]!;
      if (stage > reached) return false;
      const value = this.#hits.extrasOf(hit).values[own];
      if (!holdsBetween(test, value, this.#valueIn(link, reached, stage, other))) return false;
    }
    return true;
  }

  /** What was kept of stage `stage` by a sequence that has reached `reached`. */
  #valueIn(link: Link, reached: number, stage: number, kept: number): FieldValue {
    let one = link;
    for (let s = reached; s > stage; s--) one = this.#links.previousOf(one);
    return this.#hits.extrasOf(this.#links.hitOf(one)).values[kept];
  }
}

function sameValue(a: FieldValue, b: FieldValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
