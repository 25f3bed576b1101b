import { LIMITS } from '../limits.ts';
import type { Sequence } from '../sequence.ts';
import type { Hit } from './hit.ts';

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

const NO_WINDOWS: Windows = [];

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
  let gone = Math.max(0, hits.length - mostOf(runs));
  while (gone < hits.length && hits[gone]!.timeUs < sinceUs) gone++;
  if (gone > 0) hits.splice(0, gone);
}

/** How many hits a window of a step with `runs` holds at most. */
export const mostOf = (runs: number): number => runs + LIMITS.recentHits;

export interface Run {
  /** in order, the last LIMITS.listedRuns of them */
  readonly hits: readonly Hit[];
  readonly startUs: number;
  readonly count: number;
}

/**
 * The shortest run of `runs` events that ends with `hit` and has begun after `after` (undefined: whenever) and not before `sinceUs`. What is part
 * of an alert doesn't count again, but when the past is gone through anew; nor does what `fits` refuses.
 */
export function runOf(
  windows: Windows,
  step: number,
  hit: Hit,
  after: Hit | undefined,
  sinceUs: number,
  fits?: (one: Hit) => boolean,
): Run | undefined {
  const { hits: window, runs } = windows.find((one) => one.step === step)!;
  const from = Math.max(sinceUs, after?.timeUs ?? sinceUs);
  const newest: Hit[] = [];
  let count = 0;
  for (let i = window.lastIndexOf(hit); i >= 0; i--) {
    const one = window[i]!;
    if (one.timeUs < from || one === after) return undefined;
    if ((one.reported && !hit.reported) || fits?.(one) === false) continue;
    count += one.extras.weight;
    if (newest.length < LIMITS.listedRuns) newest.push(one);
    if (count >= runs) return { hits: newest.reverse(), startUs: one.timeUs, count };
  }
  return undefined;
}
