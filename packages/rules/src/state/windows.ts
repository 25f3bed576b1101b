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
  let count = 0;
  const last = window.lastIndexOf(hit);
  for (let i = last; i >= 0; i--) {
    const one = window[i]!;
    if (one.timeUs < from || one === after) return undefined;
    if (one.reported && !hit.reported) continue;
    count += one.extras.weight;
    if (count >= runs) return { hits: listed(window, i, last, hit.reported), startUs: one.timeUs, count };
  }
  return undefined;
}

/** The last hits of a run. */
function listed(window: readonly Hit[], first: number, last: number, anew: boolean): readonly Hit[] {
  const hits: Hit[] = [];
  for (let i = last; i >= first && hits.length < LIMITS.listedRuns; i--) {
    const one = window[i]!;
    if (!one.reported || anew) hits.push(one);
  }
  return hits.reverse();
}
