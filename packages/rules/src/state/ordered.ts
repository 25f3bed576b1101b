import type { FieldValue } from '../catalogue.ts';
import { holdsBetween } from '../compile/evaluate.ts';
import { LIMITS } from '../limits.ts';
import type { Comparison, Sequence } from '../sequence.ts';
import type { Hit } from './hit.ts';
import {
  type Automaton,
  behind,
  filtered,
  hasReported,
  isSpent,
  Link,
  lengthOf,
  NO_LINKS,
  type Partial,
  queueOf,
  startOf,
} from './partial.ts';
import { runOf, type Windows } from './windows.ts';

/** One step that must happen. */
interface Stage {
  readonly step: number;
  readonly bit: number;
  readonly runs: number;
  readonly compares: readonly Comparison<unknown>[];
  /** what must not happen between the stage before and this one */
  readonly guards: readonly Guard[];
  /** unfinished sequences of one key that may wait behind it */
  readonly room: number;
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
  readonly start: Partial;
  completed: Link | undefined;
  readonly maxspanUs: number;
  readonly waits: boolean;
  readonly begins: number;
  readonly stages: number;
  readonly #list: readonly Stage[];
  /** bits of what must not happen before the first */
  readonly #before: number;
  readonly #after: readonly Guard[];
  readonly #until: readonly Guard[];
  readonly #compared: readonly Comparison<unknown>[];
  /** what is made of the partial sequence that is taken: a copy once something changes */
  #now: Partial = [];
  #copy: (Link | undefined)[] | undefined;

  constructor(sequence: Sequence<unknown>) {
    const { steps, maxspanUs } = sequence;
    const guard = (index: number): Guard => ({ bit: 1 << index, compares: steps[index]!.compares });
    const stages: Stage[] = [];
    let guards: Guard[] = [];
    this.#compared = steps.flatMap(({ compares }) => compares);
    this.#until = steps.flatMap(({ kind }, index) => (kind === 'until' ? [guard(index)] : []));
    for (const [step, { kind, runs, compares }] of steps.entries()) {
      if (kind === 'missing') guards.push(guard(step));
      if (kind !== 'event') continue;
      const next = steps.slice(step + 1).find((one) => one.kind === 'event');
      const beforeRun = (next?.runs ?? 1) > 1;
      const room = this.#compared.length > 0 || beforeRun ? LIMITS.waiting : 1;
      stages.push({ step, bit: 1 << step, runs, compares, guards, room, beforeRun });
      guards = [];
    }
    this.maxspanUs = maxspanUs;
    this.#list = stages;
    this.stages = stages.length;
    this.#before = stages[0]!.guards.reduce((bits, { bit }) => bits | bit, 0);
    this.#after = guards;
    this.waits = guards.length > 0;
    this.begins = stages[0]!.bit | this.#before;
    this.start = [...stages, undefined].map(() => undefined);
  }

  take(partial: Partial, hit: Hit, windows: Windows): Partial {
    const { steps } = hit;
    const last = this.stages - 1;
    this.completed = undefined;
    this.#now = partial;
    this.#copy = undefined;
    if (this.waits) this.#sift(last, this.#after, hit);
    let done = false;
    // From the last to the first: what this event brings to a step doesn't wait for it there.
    for (let s = last; s > 0; s--) {
      const stage = this.#list[s]!;
      if (!done && (steps & stage.bit) !== 0) done = this.#extend(s, hit, windows);
      this.#sift(s - 1, stage.guards, hit);
    }
    if (!done && (steps & this.#list[0]!.bit) !== 0) this.#begin(hit, windows);
    if ((steps & this.#before) !== 0 && (this.#now[this.stages]?.hit.timeUs ?? hit.timeUs) <= hit.timeUs)
      this.#put(this.stages, new Link(undefined, hit));
    if (this.#until.length > 0) for (let s = 0; s <= last; s++) this.#sift(s, this.#until, hit);
    return this.#now;
  }

  due(partial: Partial, nowUs: number): { partial: Partial; completed: readonly Link[] } {
    const pending = this.waits ? queueOf(partial[this.stages - 1]) : NO_LINKS;
    const isDue = (link: Link): boolean => startOf(link) + this.maxspanUs < nowUs;
    if (!pending.some(isDue)) return { partial, completed: NO_LINKS };
    const rest = filtered(partial[this.stages - 1], (link) => !isDue(link));
    return {
      partial: partial.with(this.stages - 1, rest),
      completed: pending.filter((link) => isDue(link) && !hasReported(link)),
    };
  }

  /** Goes on from the newest that fits, and where steps are compared from all that do; true: the event has completed one. */
  #extend(s: number, hit: Hit, windows: Windows): boolean {
    const stage = this.#list[s]!;
    const sinceUs = hit.timeUs - this.maxspanUs;
    for (let previous = this.#now[s - 1]; previous !== undefined; previous = previous.older) {
      if (startOf(previous) < sinceUs || isSpent(previous, hit) || !fits(stage.compares, previous, hit)) continue;
      const link = linked(stage, previous, hit, windows, sinceUs);
      if (link === undefined) continue;
      this.#settle(s, link, sinceUs);
      if (this.completed !== undefined) return true;
      if (this.#compared.length === 0) return false;
    }
    return false;
  }

  #begin(hit: Hit, windows: Windows): void {
    const sinceUs = hit.timeUs - this.maxspanUs;
    const guard = this.#now[this.stages];
    if (guard !== undefined && guard.hit.timeUs >= sinceUs) return;
    const link = linked(this.#list[0]!, undefined, hit, windows, sinceUs);
    if (link !== undefined) this.#settle(0, link, sinceUs);
  }

  /** Puts what has reached stage `s` where it waits, or ends it. */
  #settle(s: number, link: Link, sinceUs: number): void {
    if (s < this.stages - 1 || this.waits) this.#queue(s, link, sinceUs);
    else this.completed = link;
  }

  #queue(s: number, link: Link, sinceUs: number): void {
    const queue = this.#now[s];
    // It waits for nothing to come, and the older one has waited longer.
    if (s === this.stages - 1 && isOpen(queue, sinceUs)) return;
    const { room, beforeRun } = this.#list[s]!;
    this.#put(s, link);
    if (room === 1) return;
    const alive = filtered(queue, (one) => startOf(one) >= sinceUs && (beforeRun || !this.#isLike(one, link, s)));
    if (alive === undefined || lengthOf(alive) < room) link.older = alive;
    // In a flood of beginnings the oldest are the nearest to the end of a run; those that wait to be compared are all alike.
    else link.older = beforeRun ? alive.older : filtered(alive, ({ older }) => older !== undefined);
  }

  #put(s: number, link: Link | undefined): void {
    if (this.#now[s] === link) return;
    this.#copy ??= this.#now.slice();
    this.#copy[s] = link;
    this.#now = this.#copy;
  }

  /** Both wait behind stage `s`, and whatever fits one fits the other. */
  #isLike(one: Link, other: Link, s: number): boolean {
    return this.#compared.every(
      ({ stage, other: kept }) => stage > s || sameValue(valueIn(one, s, stage, kept), valueIn(other, s, stage, kept)),
    );
  }

  /** Takes away what an event ends of what waits behind stage `s`. */
  #sift(s: number, guards: readonly Guard[], hit: Hit): void {
    for (let i = 0; i < guards.length; i++) {
      const { bit, compares } = guards[i]!;
      const queue = this.#now[s];
      if (queue === undefined) return;
      if ((hit.steps & bit) === 0) continue;
      this.#put(s, compares.length === 0 ? undefined : filtered(queue, (link) => !fits(compares, link, hit)));
    }
  }
}

function isOpen(queue: Link | undefined, sinceUs: number): boolean {
  for (let one = queue; one !== undefined; one = one.older) if (startOf(one) >= sinceUs) return true;
  return false;
}

function linked(
  { step, runs, compares }: Stage,
  previous: Link | undefined,
  hit: Hit,
  windows: Windows,
  sinceUs: number,
): Link | undefined {
  const before = previous && behind(previous, undefined);
  if (runs === 1) return new Link(before, hit);
  const isOf = compares.length === 0 ? undefined : (one: Hit): boolean => fits(compares, before!, one);
  const run = runOf(windows, step, hit, before?.hit, sinceUs, isOf);
  return run && new Link(before, hit, run);
}

/** Whether an event stands to the events before it as the step asks. */
function fits(compares: readonly Comparison<unknown>[], link: Link, hit: Hit): boolean {
  if (compares.length === 0) return true;
  let reached = -1;
  for (let one: Link | undefined = link; one !== undefined; one = one.previous) reached++;
  return compares.every(
    ({ test, own, other, stage }) =>
      stage <= reached && holdsBetween(test, hit.extras.values[own], valueIn(link, reached, stage, other)),
  );
}

/** What was kept of stage `stage` by a sequence that has reached `reached`. */
function valueIn(link: Link, reached: number, stage: number, kept: number): FieldValue {
  let one = link;
  for (let s = reached; s > stage; s--) one = one.previous!;
  return one.hit.extras.values[kept];
}

function sameValue(a: FieldValue, b: FieldValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
