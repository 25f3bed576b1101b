import type { FieldValue } from '../catalogue.ts';
import { holdsBetween } from '../compile/evaluate.ts';
import { LIMITS } from '../limits.ts';
import type { Comparison, Sequence } from '../sequence.ts';
import type { Hit } from './hit.ts';
import {
  type Automaton,
  hasReported,
  isSpent,
  type Link,
  NO_LINKS,
  type Partial,
  runOf,
  type Windows,
} from './partial.ts';

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
  readonly #stages: readonly Stage[];
  readonly #before: readonly Guard[];
  readonly #after: readonly Guard[];
  readonly #until: readonly Guard[];
  readonly #compared: readonly Comparison<unknown>[];

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
    this.#stages = stages;
    this.#before = stages[0]!.guards;
    this.#after = guards;
    this.waits = guards.length > 0;
    this.begins = stages[0]!.bit;
    this.start = { waiting: stages.map(() => NO_LINKS), guardUs: Number.NEGATIVE_INFINITY };
  }

  take(partial: Partial, hit: Hit, windows: Windows): Partial {
    this.completed = undefined;
    const waiting = partial.waiting.slice();
    const last = this.#stages.length - 1;
    if (this.waits) waiting[last] = this.#survivors(waiting[last]!, this.#after, hit);
    let done = false;
    // From the last to the first: what this event brings to a step doesn't wait for it there.
    for (let s = last; s > 0; s--) {
      if (!done && (hit.steps & this.#stages[s]!.bit) !== 0) done = this.#extend(waiting, s, hit, windows);
      waiting[s - 1] = this.#survivors(waiting[s - 1]!, this.#stages[s]!.guards, hit);
    }
    if (!done && (hit.steps & this.#stages[0]!.bit) !== 0) this.#begin(waiting, partial.guardUs, hit, windows);
    const isGuard = this.#before.some(({ bit }) => (hit.steps & bit) !== 0);
    const guardUs = isGuard ? Math.max(partial.guardUs, hit.timeUs) : partial.guardUs;
    for (let s = 0; s <= last; s++) waiting[s] = this.#survivors(waiting[s]!, this.#until, hit);
    return { waiting, guardUs };
  }

  due(partial: Partial, nowUs: number): { partial: Partial; completed: readonly Link[] } {
    const pending = this.waits ? partial.waiting.at(-1)! : NO_LINKS;
    const isDue = (link: Link): boolean => link.startUs + this.maxspanUs < nowUs;
    if (!pending.some(isDue)) return { partial, completed: NO_LINKS };
    const waiting = partial.waiting.with(
      -1,
      pending.filter((link) => !isDue(link)),
    );
    return { partial: { ...partial, waiting }, completed: pending.filter((link) => isDue(link) && !hasReported(link)) };
  }

  /** Goes on from the newest that fits, and where steps are compared from all that do; true: the event has completed one. */
  #extend(waiting: (readonly Link[])[], s: number, hit: Hit, windows: Windows): boolean {
    const stage = this.#stages[s]!;
    const sinceUs = hit.timeUs - this.maxspanUs;
    const from = waiting[s - 1]!;
    for (let i = from.length - 1; i >= 0; i--) {
      const previous = from[i]!;
      if (previous.startUs < sinceUs || isSpent(previous, hit) || !fits(stage.compares, previous, hit)) continue;
      const link = this.#linked(stage, previous, hit, windows, sinceUs);
      if (link === undefined) continue;
      this.#settle(waiting, s, link, sinceUs);
      if (this.completed !== undefined) return true;
      if (this.#compared.length === 0) return false;
    }
    return false;
  }

  #begin(waiting: (readonly Link[])[], guardUs: number, hit: Hit, windows: Windows): void {
    const sinceUs = hit.timeUs - this.maxspanUs;
    if (guardUs >= sinceUs) return;
    const link = this.#linked(this.#stages[0]!, undefined, hit, windows, sinceUs);
    if (link !== undefined) this.#settle(waiting, 0, link, sinceUs);
  }

  #linked(
    { step, runs }: Stage,
    previous: Link | undefined,
    hit: Hit,
    windows: Windows,
    sinceUs: number,
  ): Link | undefined {
    if (runs === 1) return { previous, hits: [hit], startUs: previous?.startUs ?? hit.timeUs, count: hit.weight };
    const run = runOf(windows, step, hit, previous?.hits.at(-1), sinceUs);
    if (run === undefined) return undefined;
    return { previous, hits: run.hits, startUs: previous?.startUs ?? run.startUs, count: run.count };
  }

  /** Puts what has reached stage `s` where it waits, or ends it. */
  #settle(waiting: (readonly Link[])[], s: number, link: Link, sinceUs: number): void {
    if (s < this.#stages.length - 1 || this.waits) waiting[s] = this.#queued(waiting[s]!, s, link, sinceUs);
    else this.completed = link;
  }

  #queued(queue: readonly Link[], s: number, link: Link, sinceUs: number): readonly Link[] {
    const isLast = s === this.#stages.length - 1;
    // It waits for nothing to come, and the older one has waited longer.
    if (isLast && queue.some(({ startUs }) => startUs >= sinceUs)) return queue;
    const { room, beforeRun } = this.#stages[s]!;
    if (room === 1) return [link];
    const alive = queue.filter((one) => one.startUs >= sinceUs && (beforeRun || !this.#isLike(one, link, s)));
    if (alive.length < room) return [...alive, link];
    // In a flood of beginnings the oldest are the nearest to the end of a run; those that wait to be compared are all alike.
    return beforeRun ? [...alive.slice(0, -1), link] : [...alive.slice(1), link];
  }

  /** Both wait behind stage `s`, and whatever fits one fits the other. */
  #isLike(one: Link, other: Link, s: number): boolean {
    return this.#compared.every(
      ({ stage, other: kept }) => stage > s || sameValue(valueIn(one, s, stage, kept), valueIn(other, s, stage, kept)),
    );
  }

  #survivors(links: readonly Link[], guards: readonly Guard[], hit: Hit): readonly Link[] {
    let alive = links;
    for (let i = 0; i < guards.length && alive.length > 0; i++) {
      const { bit, compares } = guards[i]!;
      if ((hit.steps & bit) === 0) continue;
      alive = compares.length === 0 ? NO_LINKS : alive.filter((link) => !fits(compares, link, hit));
    }
    return alive;
  }
}

/** Whether an event stands to the events before it as the step asks. */
function fits(compares: readonly Comparison<unknown>[], link: Link, hit: Hit): boolean {
  if (compares.length === 0) return true;
  let reached = -1;
  for (let one: Link | undefined = link; one !== undefined; one = one.previous) reached++;
  return compares.every(
    ({ test, own, other, stage }) =>
      stage <= reached && holdsBetween(test, hit.values[own], valueIn(link, reached, stage, other)),
  );
}

/** What was kept of stage `stage` by a sequence that has reached `reached`. */
function valueIn(link: Link, reached: number, stage: number, kept: number): FieldValue {
  let one = link;
  for (let s = reached; s > stage; s--) one = one.previous!;
  return one.hits.at(-1)!.values[kept];
}

function sameValue(a: FieldValue, b: FieldValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
