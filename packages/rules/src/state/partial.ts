import { LIMITS } from '../limits.ts';
import type { Sequence } from '../sequence.ts';
import type { Hit } from './hit.ts';

/** A step that has happened, and those before it. */
export interface Link {
  readonly previous: Link | undefined;
  /** in order; several where the step comes in runs */
  readonly hits: readonly Hit[];
  /** µs, of the first event of the whole */
  readonly startUs: number;
  /** events, those included that were merged into one */
  readonly count: number;
}

/** What one key of a sequence has come to. Never changed: the next one is made of it. */
export interface Partial {
  /** by event step: how far what is unfinished has come, oldest first */
  readonly waiting: readonly (readonly Link[])[];
  /** µs, of the last event that must not have come before the first; -Infinity: none */
  readonly guardUs: number;
}

/** How a sequence goes on with an event. */
export interface Automaton {
  readonly start: Partial;
  readonly maxspanUs: number;
  /** What has reached the last step still waits for something that must not come. */
  readonly waits: boolean;
  /** bits of the steps with which something begins: what the others had without it is of no use */
  readonly begins: number;
  /** What an event makes of a partial sequence; `windows` has it already. `completed` is what it finishes, if anything. */
  take(partial: Partial, hit: Hit, windows: Windows): Partial;
  completed: Link | undefined;
  /** Unfinished sequences that are finished because nothing more came until `nowUs`. */
  due(partial: Partial, nowUs: number): { readonly partial: Partial; readonly completed: readonly Link[] };
}

export const NO_LINKS: readonly Link[] = [];

/** What a step that comes in runs has had. */
export interface Window {
  /** index of the step */
  readonly step: number;
  readonly runs: number;
  /** in order of time */
  readonly hits: Hit[];
}

/** Of the steps that come in runs. */
export type Windows = readonly Window[];

export const NO_WINDOWS: Windows = [];

export function windowsOf({ steps }: Sequence<unknown>): Windows {
  if (steps.every(({ runs }) => runs === 1)) return NO_WINDOWS;
  return steps.flatMap(({ runs }, step) => (runs > 1 ? [{ step, runs, hits: [] }] : []));
}

/** Puts a hit where it belongs by its time, behind those of the same, and lets go of what is too old or too much. */
export function insertByTime({ hits, runs }: Window, hit: Hit, sinceUs: number): void {
  let at = hits.length;
  while (at > 0 && hits[at - 1]!.timeUs > hit.timeUs) at--;
  if (at === hits.length) hits.push(hit);
  else hits.splice(at, 0, hit);
  let gone = Math.max(0, hits.length - runs - LIMITS.recentHits);
  while (gone < hits.length && hits[gone]!.timeUs < sinceUs) gone++;
  if (gone > 0) hits.splice(0, gone);
}

export interface Run {
  /** in order, the last LIMITS.listedRuns of them */
  readonly hits: readonly Hit[];
  readonly startUs: number;
  readonly count: number;
}

/**
 * The shortest run of `runs` events that ends with `hit` and has begun after `after` (undefined: whenever) and not before `sinceUs`. What is part
 * of an alert doesn't count again, but when the past is gone through anew.
 */
export function runOf(
  windows: Windows,
  step: number,
  hit: Hit,
  after: Hit | undefined,
  sinceUs: number,
): Run | undefined {
  const { hits: window, runs } = windows.find((one) => one.step === step)!;
  const from = Math.max(sinceUs, after?.timeUs ?? sinceUs);
  const hits: Hit[] = [];
  let count = 0;
  for (let i = window.lastIndexOf(hit); i >= 0; i--) {
    const one = window[i]!;
    if (one.timeUs < from || one === after) return undefined;
    if (one.reported && !hit.reported) continue;
    count += one.weight;
    if (hits.length < LIMITS.listedRuns) hits.push(one);
    if (count >= runs) return { hits: hits.reverse(), startUs: one.timeUs, count };
  }
  return undefined;
}

export function hasReported(link: Link): boolean {
  for (let one: Link | undefined = link; one !== undefined; one = one.previous)
    for (const hit of one.hits) if (hit.reported) return true;
  return false;
}

/** It is part of an alert, so it can't be of another; where the past is gone through anew, it counts as it did then. */
export function isSpent(link: Link, hit: Hit): boolean {
  return !hit.reported && hasReported(link);
}

/** All hits of a finished sequence, by event step. */
export function stepsOf(link: Link): Link[] {
  const links: Link[] = [];
  for (let one: Link | undefined = link; one !== undefined; one = one.previous) links.push(one);
  return links.reverse();
}
