import type { PipelineMetrics } from '@ringfence/bus';
import type { Command, Outcome } from '@ringfence/schema';
import type { Refusal } from './steps/order-kill.ts';

export interface ResponderStats {
  /** records of either pipeline, committed */
  readonly records: number;
  /** commands written, by mode */
  readonly commands: Readonly<Record<Command['mode'], number>>;
  /** kills that a policy wanted and that were not ordered, by reason */
  readonly refusals: Readonly<Record<Refusal, number>>;
  /** causes that named a process whose kill was on its way */
  readonly underWay: number;
  /** results of commands that were sent or had expired, by outcome */
  readonly results: Readonly<Record<Outcome, number>>;
  readonly retries: number;
  readonly deadLetters: number;
}

/** Counts what the responder did. */
export class ResponderMetrics implements PipelineMetrics {
  underWay = 0;
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

  committed(records: number): void {
    this.#records += records;
  }

  retried(): void {
    this.#retries++;
  }

  deadLettered(): void {
    this.#deadLetters++;
  }

  snapshot(): ResponderStats {
    return {
      records: this.#records,
      commands: { ...this.#commands },
      refusals: { ...this.#refusals },
      underWay: this.underWay,
      results: { ...this.#results },
      retries: this.#retries,
      deadLetters: this.#deadLetters,
    };
  }
}
