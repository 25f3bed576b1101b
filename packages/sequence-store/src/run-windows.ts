import type { EventRows } from './event-rows.ts';
import { type EventRow, NO_EVENT } from './handles.ts';
import { SEQUENCE_LIMITS } from './limits.ts';
import type { Run } from './partial-rows.ts';

/** The events of one key that fit a step which comes in runs. */
export interface RunWindow {
  /** Index of the step. */
  readonly step: number;
  readonly runs: number;
  /** In order of time. */
  readonly events: EventRow[];
}

export type RunWindows = readonly RunWindow[];

export const NO_WINDOWS: RunWindows = [];

interface StepRuns {
  /** Events in a row that the step needs. */
  readonly runs: number;
}

/** Returns an empty window for each step that comes in runs. */
export function windowsFor(steps: readonly StepRuns[]): RunWindows {
  if (steps.every(({ runs }) => runs === 1)) return NO_WINDOWS;
  return steps.flatMap(({ runs }, step) => (runs > 1 ? [{ step, runs, events: [] }] : []));
}

/** Returns the index of a step's window; -1: the step is one event. */
export function windowIndexOf(steps: readonly StepRuns[], step: number): number {
  return steps[step]!.runs === 1 ? -1 : steps.slice(0, step).filter(({ runs }) => runs > 1).length;
}

/** Inserts an event into the windows of the steps that it fits. */
export function insertInWindows(events: EventRows, windows: RunWindows, event: EventRow, sinceUs: number): void {
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i]!;
    if ((events.stepsOf(event) & (1 << window.step)) !== 0) insertByTime(events, window, event, sinceUs);
  }
}

/** Inserts an event behind those of the same time, and releases events before `sinceUs` or beyond the maximum. */
function insertByTime(events: EventRows, { events: window, runs }: RunWindow, event: EventRow, sinceUs: number): void {
  const timeUs = events.timeOf(event);
  let at = window.length;
  while (at > 0 && events.timeOf(window[at - 1]!) > timeUs) at--;
  events.retain(event);
  if (at === window.length) window.push(event);
  else window.splice(at, 0, event);
  let expired = Math.max(0, window.length - maxEvents(runs));
  while (expired < window.length && events.timeOf(window[expired]!) < sinceUs) expired++;
  if (expired === 0) return;
  for (let i = 0; i < expired; i++) events.release(window[i]!);
  window.splice(0, expired);
}

/** Returns how many events a window of a step with `runs` holds at most. */
export const maxEvents = (runs: number): number => runs + SEQUENCE_LIMITS.recentHits;

/**
 * Returns the shortest run of `runs` accepted events that ends with `event` and starts behind `after` (0: anywhere)
 * and not before `sinceUs`.
 */
export function runOf(
  events: EventRows,
  { events: window, runs }: RunWindow,
  event: EventRow,
  after: EventRow,
  sinceUs: number,
  accepts: (candidate: EventRow) => boolean,
): Run | undefined {
  const newest: EventRow[] = [];
  let count = 0;
  for (let i = window.lastIndexOf(event); i >= 0; i--) {
    const candidate = window[i]!;
    const timeUs = events.timeOf(candidate);
    if (timeUs < sinceUs || (after !== NO_EVENT && events.compare(candidate, after) <= 0)) return undefined;
    if (!accepts(candidate)) continue;
    count += events.detailsOf(candidate).weight;
    if (newest.length < SEQUENCE_LIMITS.listedRuns) newest.push(candidate);
    if (count >= runs) return { events: newest.reverse(), startUs: timeUs, count };
  }
  return undefined;
}
