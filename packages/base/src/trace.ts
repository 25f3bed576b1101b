/**
 * A step of a trace, from a system call to the response. A redelivery reports the same steps again. Times are in µs
 * since the epoch, by the clock of the process that reports the step.
 */
export interface Step {
  /** Id of the alert that the step led to, or that led to the step. It is also the id of the trace. */
  readonly alert: string;
  /** Kind of the step. */
  readonly name: 'collect' | 'bus' | 'enrich' | 'detect' | 'incident' | 'decide' | 'execute' | 'store';
  /** Distinguishes steps of the same name and alert: a command, a version of an incident. */
  readonly key?: string;
  /** Service that performed the step. */
  readonly service: string;
  readonly start: number;
  readonly end: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/** Called with each step. Must neither throw nor block. */
export type Trace = (step: Step) => void;
