import type { CoordinationStats } from './port.ts';

export type FailureCause = keyof CoordinationStats['failures'];
export type JobOutcome = keyof CoordinationStats['jobs'];

/** The counters of a driver. */
export class Counts {
  up = 0;
  reconnects = 0;
  readonly failures: Record<FailureCause, number> = { away: 0, timeout: 0, error: 0 };
  readonly jobs: Record<JobOutcome, number> = { done: 0, retried: 0, postponed: 0, dead: 0, expired: 0 };

  snapshot(): CoordinationStats {
    const { up, reconnects } = this;
    return { up, reconnects, failures: { ...this.failures }, jobs: { ...this.jobs } };
  }
}
