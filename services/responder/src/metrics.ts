import type { CoordinationStats, JobCounts } from '@ringfence/coordination';
import type { PipelineMetrics } from '@ringfence/service-kit';
import type { Command, Outcome } from '@ringfence/wire';

/**
 * Why a kill that a policy wants is not carried out: the host's limit is reached, the alert is too old, or the incident
 * of a detector of 0.1.0 does not name the process.
 */
export type Refusal = 'rate-limited' | 'stale' | 'no-target';

export interface ResponderStats {
  /** Records committed */
  readonly records: number;
  /** Commands written, by mode */
  readonly commands: Readonly<Record<Command['mode'], number>>;
  /** Kills that were refused, by reason; of `no-target`, the versions of incidents */
  readonly refusals: Readonly<Record<Refusal, number>>;
  /** Causes that lead to no kill because one of the same process was under way */
  readonly underWay: number;
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
export type Failure = 'presence' | 'routing' | 'interest';

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
  interestVersion = 0;
  readonly #waits: Record<Wait, number> = { 'not-attached': 0, limited: 0, 'limits-away': 0, refused: 0 };
  readonly #failures: Record<Failure, number> = { presence: 0, routing: 0, interest: 0 };
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
