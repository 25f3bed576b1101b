import type { CoordinationStats, JobCounts } from '@ringfence/coordination';
import type { PipelineMetrics } from '@ringfence/service-kit';
import type { Command, Outcome } from '@ringfence/wire';
import { STEP_OUTCOMES } from './playbook/condition.ts';
import type { RunEnd } from './playbook/run.ts';

/**
 * Why a kill that a policy wants is not carried out: the host's limit is reached, the alert is too old, or the incident
 * of a detector of 0.1.0 does not name the process.
 */
export type Refusal = 'rate-limited' | 'stale' | 'no-target';

/**
 * What becomes of runs of playbooks: `started`: the signal was written; `begun`: the host's partition has the run;
 * `too-many`: it was refused; then how it ended.
 */
export type RunEvent = 'started' | 'begun' | 'too-many' | RunEnd;

export interface ResponderStats {
  /** Records committed */
  readonly records: number;
  /** Commands written, by mode */
  readonly commands: Readonly<Record<Command['mode'], number>>;
  /** Kills that were refused, by reason; of `no-target`, the versions of incidents */
  readonly refusals: Readonly<Record<Refusal, number>>;
  /** Causes that lead to no kill because one of the same process was under way */
  readonly underWay: number;
  /** Runs of playbooks, by what became of them */
  readonly runs: Readonly<Record<RunEvent, number>>;
  /** Steps of runs that have ended, by outcome */
  readonly steps: Readonly<Record<string, number>>;
  /** Runs that go on now */
  readonly activeRuns: number;
  /** Seconds for which playbook files have had errors, so that the earlier ones are in force; 0: they have none */
  readonly playbooksRefusedSeconds: number;
  /** Results of enforced commands, by outcome */
  readonly results: Readonly<Record<Outcome, number>>;
  /** Answers to commands that had a Result already */
  readonly answersAgain: number;
  /** Commands brought to the responder that holds their agent's stream */
  readonly routed: number;
  /** Commands without an answer now */
  readonly open: number;
  /** Open commands whose agent is attached to no responder */
  readonly unheld: number;
  /** Commands that were postponed, or refused, by cause */
  readonly waits: Readonly<Record<Wait, number>>;
  /** Work that failed and is repeated, by kind */
  readonly failures: Readonly<Record<Failure, number>>;
  /** Jobs in this responder's own queue now */
  readonly queue: Readonly<Record<keyof JobCounts, number>>;
  /** Jobs that this responder has run, by end */
  readonly jobs: CoordinationStats['jobs'];
  /** Version of the interest that was sent to the agents last; 0: none, or this responder sends none */
  readonly interestVersion: number;
  /** 1 while the coordination can be reached */
  readonly sharedUp: number;
  readonly sharedReconnects: number;
  /** Calls to the coordination that failed, by cause */
  readonly sharedFailures: CoordinationStats['failures'];
  readonly retries: number;
  readonly deadLetters: number;
}

/** Why a command was not sent at once. `refused`: it would expire before the limit admits it. */
export type Wait = 'not-attached' | 'limited' | 'limits-away' | 'refused';
export type Failure = 'presence' | 'routing' | 'interest' | 'runs';

const NO_COORDINATION: CoordinationStats = {
  up: 0,
  reconnects: 0,
  failures: { away: 0, timeout: 0, error: 0 },
  jobs: { done: 0, retried: 0, postponed: 0, dead: 0, expired: 0 },
};

/** Counters of the responder. */
export class ResponderMetrics implements PipelineMetrics {
  underWay = 0;
  answersAgain = 0;
  routed = 0;
  open = 0;
  queue: JobCounts = { waiting: 0, delayed: 0, active: 0, dead: 0 };
  unheld = 0;
  activeRuns = 0;
  /** ms since the epoch; null: the playbooks of the files are in force. */
  playbooksRefusedAt: number | null = null;
  interestVersion = 0;
  readonly #waits: Record<Wait, number> = { 'not-attached': 0, limited: 0, 'limits-away': 0, refused: 0 };
  readonly #failures: Record<Failure, number> = { presence: 0, routing: 0, interest: 0, runs: 0 };
  readonly #runs: Record<RunEvent, number> = {
    ...{ started: 0, begun: 0, 'too-many': 0 },
    ...{ completed: 0, stopped: 0, undone: 0, 'undo-failed': 0 },
  };
  readonly #steps: Record<string, number> = Object.fromEntries(['observed', ...STEP_OUTCOMES].map((each) => [each, 0]));
  #records = 0;
  #retries = 0;
  #deadLetters = 0;
  readonly #commands: Record<Command['mode'], number> = { observe: 0, enforce: 0 };
  readonly #refusals: Record<Refusal, number> = { 'rate-limited': 0, stale: 0, 'no-target': 0 };
  readonly #results: Record<Outcome, number> = {
    executed: 0,
    observed: 0,
    refused: 0,
    expired: 0,
    failed: 0,
    gone: 0,
  };

  ordered(mode: Command['mode']): void {
    this.#commands[mode]++;
  }

  refused(reason: Refusal): void {
    this.#refusals[reason]++;
  }

  run(event: RunEvent): void {
    this.#runs[event]++;
  }

  /** `outcome`: one of STEP_OUTCOMES, or `observed` */
  step(outcome: string): void {
    this.#steps[outcome] = (this.#steps[outcome] ?? 0) + 1;
  }

  answered(outcome: Outcome): void {
    this.#results[outcome]++;
  }

  waited(cause: Wait): void {
    this.#waits[cause]++;
  }

  failed(kind: Failure): void {
    this.#failures[kind]++;
  }

  committed(records: number): void {
    this.#records += records;
  }

  retried(): void {
    this.#retries++;
  }

  deadLettered(): void {
    this.#deadLetters++;
  }

  /** `coordination`: null without one. */
  snapshot(coordination: CoordinationStats | null): ResponderStats {
    const { up, reconnects, failures, jobs } = coordination ?? NO_COORDINATION;
    return {
      records: this.#records,
      commands: { ...this.#commands },
      refusals: { ...this.#refusals },
      runs: { ...this.#runs },
      steps: { ...this.#steps },
      activeRuns: this.activeRuns,
      playbooksRefusedSeconds:
        this.playbooksRefusedAt === null ? 0 : Math.max(1, Math.round((Date.now() - this.playbooksRefusedAt) / 1000)),
      underWay: this.underWay,
      results: { ...this.#results },
      answersAgain: this.answersAgain,
      routed: this.routed,
      open: this.open,
      unheld: this.unheld,
      waits: { ...this.#waits },
      failures: { ...this.#failures },
      queue: { ...this.queue },
      jobs,
      interestVersion: this.interestVersion,
      sharedUp: up,
      sharedReconnects: reconnects,
      sharedFailures: failures,
      retries: this.#retries,
      deadLetters: this.#deadLetters,
    };
  }
}
