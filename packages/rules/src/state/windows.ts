import { LIMITS } from '../limits.ts';
import type { Sequence } from '../sequence.ts';
import type { Hit, Hits } from './hits.ts';
import type { Run } from './links.ts';

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

/** Index of a step's window; -1: it is one event. */
export function windowOf(steps: Sequence<unknown>['steps'], step: number): number {
  return steps[step]!.runs === 1 ? -1 : steps.slice(0, step).filter(({ runs }) => runs > 1).length;
}

/** Into those of the steps that it fits. */
export function insertInWindows(hits: Hits, windows: Windows, hit: Hit, sinceUs: number): void {
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i]!;
    if ((hits.stepsOf(hit) & (1 << window.step)) !== 0) insertByTime(hits, window, hit, sinceUs);
  }
}

/** Puts a hit where it belongs by its time, behind those of the same, and lets go of what is too old or too much. */
function insertByTime(hits: Hits, { hits: window, runs }: Window, hit: Hit, sinceUs: number): void {
  const timeUs = hits.timeOf(hit);
  let at = window.length;
  while (at > 0 && hits.timeOf(window[at - 1]!) > timeUs) at--;
  hits.retain(hit);
  if (at === window.length) window.push(hit);
  else window.splice(at, 0, hit);
  let gone = Math.max(0, window.length - mostOf(runs));
  while (gone < window.length && hits.timeOf(window[gone]!) < sinceUs) gone++;
  if (gone === 0) return;
  for (let i = 0; i < gone; i++) hits.release(window[i]!);
  window.splice(0, gone);
}

/** How many hits a window of a step with `runs` holds at most. */
export const mostOf = (runs: number): number => runs + LIMITS.recentHits;

/**
 * The shortest run of `runs` events that ends with `hit` and has begun after `after` (0: whenever) and not before `sinceUs`, of those that `counts`
 * accepts.
 */
export function runOf(
  hits: Hits,
  { hits: window, runs }: Window,
  hit: Hit,
  after: Hit,
  sinceUs: number,
  counts: (one: Hit) => boolean,
): Run | undefined {
  const newest: Hit[] = [];
  let count = 0;
  for (let i = window.lastIndexOf(hit); i >= 0; i--) {
    const one = window[i]!;
    const timeUs = hits.timeOf(one);
    if (timeUs < sinceUs || (after !== 0 && hits.compare(one, after) <= 0)) return undefined;
    if (!counts(one)) continue;
    count += hits.extrasOf(one).weight;
    if (newest.length < LIMITS.listedRuns) newest.push(one);
    if (count >= runs) return { hits: newest.reverse(), startUs: timeUs, count };
  }
  return undefined;
}
