import type { Hit } from './hit.ts';
import type { Run, Windows } from './windows.ts';

/** A step that has happened, and those before it. */
export class Link {
  readonly previous: Link | undefined;
  /** the step's event, the last of a run */
  readonly hit: Hit;
  /** undefined: the step is one event */
  readonly run: Run | undefined;
  /** the next older one that waits where it does; set when it begins to wait, never changed after */
  older: Link | undefined = undefined;

  constructor(previous: Link | undefined, hit: Hit, run?: Run) {
    this.previous = previous;
    this.hit = hit;
    this.run = run;
  }
}

/** µs, of the first event of the whole. */
export function startOf(link: Link): number {
  let first = link;
  while (first.previous !== undefined) first = first.previous;
  return first.run === undefined ? first.hit.timeUs : first.run.startUs;
}

/**
 * What one key of a sequence has come to, by event step: the newest of what has come so far, which leads to the older ones. One more at the end: the
 * last event that must not have come before the first. Never changed: the next one is made of it.
 */
export type Partial = readonly (Link | undefined)[];

/** How a sequence goes on with an event. */
export interface Automaton {
  readonly start: Partial;
  /** steps that must happen */
  readonly stages: number;
  readonly maxspanUs: number;
  /** What has reached the last step still waits for something that must not come. */
  readonly waits: boolean;
  /** bits of the steps with which something begins or is kept from it: what the others had without it is of no use */
  readonly begins: number;
  /** What an event makes of a partial sequence, itself if nothing; `windows` has it already. `completed` is what it finishes, if anything. */
  take(partial: Partial, hit: Hit, windows: Windows): Partial;
  completed: Link | undefined;
  /** Unfinished sequences that are finished because nothing more came until `nowUs`, oldest first. */
  due(partial: Partial, nowUs: number): { readonly partial: Partial; readonly completed: readonly Link[] };
}

export const NO_LINKS: readonly Link[] = [];

/** Those of a queue that `keep` accepts. */
export function filtered(newest: Link | undefined, keep: (link: Link) => boolean): Link | undefined {
  if (newest === undefined) return undefined;
  const older = filtered(newest.older, keep);
  if (!keep(newest)) return older;
  return behind(newest, older);
}

/** The same with others older than it, or alone: what goes on from it must not hold those that waited with it. */
export function behind(one: Link, older: Link | undefined): Link {
  if (one.older === older) return one;
  const link = new Link(one.previous, one.hit, one.run);
  link.older = older;
  return link;
}

/** A queue, oldest first. */
export function queueOf(newest: Link | undefined): Link[] {
  const links: Link[] = [];
  for (let one = newest; one !== undefined; one = one.older) links.push(one);
  return links.reverse();
}

export function lengthOf(newest: Link | undefined): number {
  let length = 0;
  for (let one = newest; one !== undefined; one = one.older) length++;
  return length;
}

/** Events of its step, in order. */
export const hitsOf = ({ run, hit }: Link): readonly Hit[] => run?.hits ?? [hit];

/** Events of its step, those included that were merged into one. */
export const countOf = ({ run, hit }: Link): number => run?.count ?? hit.extras.weight;

export function hasReported(link: Link): boolean {
  for (let one: Link | undefined = link; one !== undefined; one = one.previous)
    if (one.run === undefined ? one.hit.reported : one.run.hits.some(({ reported }) => reported)) return true;
  return false;
}

/** It is part of an alert, so it can't be of another; where the past is gone through anew, it counts as it did then. */
export function isSpent(link: Link, hit: Hit): boolean {
  return !hit.reported && hasReported(link);
}

export function markReported(link: Link): void {
  for (let one: Link | undefined = link; one !== undefined; one = one.previous)
    for (const hit of hitsOf(one)) hit.reported = true;
}

/** All steps of a sequence as far as it has come, in their order. */
export function stepsOf(link: Link): Link[] {
  const links: Link[] = [];
  for (let one: Link | undefined = link; one !== undefined; one = one.previous) links.push(one);
  return links.reverse();
}
