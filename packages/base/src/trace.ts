/**
 * One step on the way from a system call to what was done about it, as whoever traces is told of it. A redelivery tells of the same steps again. Times in µs
 * since the epoch, by the clock of whoever noted them.
 */
export interface Step {
  /** Id of the alert that it led to, or came of. It is the id of the trace as well. */
  readonly alert: string;
  /** a closed set: what happened */
  readonly name: 'collect' | 'bus' | 'enrich' | 'detect' | 'incident' | 'decide' | 'execute' | 'store';
  /** tells several steps of one name and alert apart: a command, a version of an incident */
  readonly key?: string;
  /** who did it */
  readonly service: string;
  readonly start: number;
  readonly end: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/** Told of each step; must neither throw nor wait. */
export type Trace = (step: Step) => void;
