import type { CoordinationStats, JobCounts } from '@ringfence/coordination';
import type { PipelineMetrics } from '@ringfence/service-kit';
import type { Command, Outcome } from '@ringfence/wire';
import type { Refusal } from './steps/order-kill.ts';

export interface ResponderStats {
  /** records committed */
  readonly records: number;
  /** commands written, by mode */
  readonly commands: Readonly<Record<Command['mode'], number>>;
  /** kills that a policy wanted and that were not ordered, by reason */
  readonly refusals: Readonly<Record<Refusal, number>>;
  /** causes that named a process whose kill was on its way */
  readonly underWay: number;
  /** results of enforced commands, by outcome */
  readonly results: Readonly<Record<Outcome, number>>;
  /** answers to commands that had one already */
  readonly answersAgain: number;
  /** commands brought to the responder that holds their agent's stream */
  readonly routed: number;
  /** commands without an answer now, and those of them whose agent is attached nowhere */
  readonly open: number;
  readonly unheld: number;
  /** commands that were put off, or refused, by cause */
  readonly waits: Readonly<Record<Wait, number>>;
  /** what could not be done at once and is done again, by what it was */
  readonly failures: Readonly<Record<Failure, number>>;
  /** jobs in this responder's own queue now */
  readonly queue: Readonly<Record<keyof JobCounts, number>>;
  /** jobs it has run, by end */
  readonly jobs: CoordinationStats['jobs'];
  /** version of the interest that it told its agents last; 0: none, or somebody else tells them */
  readonly interestVersion: number;
  /** 1 while what responders share can be reached */
  readonly sharedUp: number;
  readonly sharedReconnects: number;
  /** calls to it that were given up, by cause */
  readonly sharedFailures: CoordinationStats['failures'];
  readonly retries: number;
  readonly deadLetters: number;
}

/** Why a command was not sent at once. `refused`: the limit leaves it no room in its time. */
export type Wait = 'not-attached' | 'limited' | 'limits-away' | 'refused';
export type Failure = 'presence' | 'routing' | 'interest';

const NOTHING_SHARED: CoordinationStats = {
  up: 0,
  reconnects: 0,
  failures: { away: 0, timeout: 0, error: 0 },
  jobs: { done: 0, retried: 0, postponed: 0, dead: 0, expired: 0 },
};

/** Counts what the responder did. */
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
  readonly #refusals: Record<Refusal, number> = { 'rate-limited': 0, stale: 0 };
  readonly #results: Record<Outcome, number> = {
    executed: 0,
    observed: 0,
    refused: 0,
    expired: 0,
    failed: 0,
    gone: 0,
  };

  ordered(mode: Command['mode'], refusal: Refusal | undefined): void {
    this.#commands[mode]++;
    if (refusal !== undefined) this.#refusals[refusal]++;
  }

  answered(outcome: Outcome): void {
    this.#results[outcome]++;
  }

  waited(cause: Wait): void {
    this.#waits[cause]++;
  }

  failed(what: Failure): void {
    this.#failures[what]++;
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

  /** `shared`: null without a coordination */
  snapshot(shared: CoordinationStats | null): ResponderStats {
    const { up, reconnects, failures, jobs } = shared ?? NOTHING_SHARED;
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
