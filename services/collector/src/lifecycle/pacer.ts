import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RingBuffer } from '@ringfence/libbpf-ts';
import type { ControlBlock } from '@ringfence/sensor';

/** Polls without a record before the agent sleeps: waking up costs more than a few polls. */
const QUIET_POLLS = 3;
/** A sleep of at least this time, ms, is long: the host was idle. */
const LONG_SLEEP_MS = 10;
/**
 * Number of times that the agent sleeps again without polling after a long sleep. The records after the first one are
 * then read as promptly as the first; if records still come after that, polling collects them.
 */
const EAGER_SLEEPS = 2;
/** Fewer events than this per poll interval cost less than signing and committing their batch. */
const FEW_EVENTS = 64;
/**
 * After more than `polls` polls in a row with few events, each poll waits `intervals` poll intervals. Most relevant
 * activity begins after a quiet time and is read at once; a burst is read at full pace, a long trickle at lower cost.
 */
const SLOWER_POLLS: readonly (readonly [polls: number, intervals: number])[] = [
  [32, 3],
  [8, 2],
];

/** Paces the reader: it polls while events come, and sleeps until the kernel wakes it when none come. */
export class Pacer {
  readonly #rings: readonly RingBuffer[];
  readonly #control: ControlBlock;
  readonly #pollIntervalMs: number;
  #woken = false;
  /** Ends the current wait */
  #endWait: () => void = () => undefined;
  #eagerSleeps = 0;
  /** Polls in a row that found few events */
  #fewPolls = 0;
  /** Poll intervals that the last poll waited for */
  #intervals = 1;

  constructor(rings: readonly RingBuffer[], control: ControlBlock, pollIntervalMs: number) {
    this.#rings = rings;
    this.#control = control;
    this.#pollIntervalMs = pollIntervalMs;
  }

  /** Ends the current pause, or the next one. */
  wake(): void {
    this.#woken = true;
    this.#endWait();
  }

  /**
   * Waits until the rings hold a record, at most `maxMs`. `taken` is the number of events of the last cycle. If `more`
   * are already waiting in the rings, only yields to the event loop.
   */
  async pause(taken: number, more: boolean, maxMs: number): Promise<void> {
    if (more) await nextTurn();
    else if (!this.#woken) await this.#awaitRecord(performance.now() + maxMs, this.#nextIntervalMs(taken));
    this.#woken = false;
  }

  #nextIntervalMs(taken: number): number {
    this.#fewPolls = taken > 0 && taken < FEW_EVENTS * this.#intervals ? this.#fewPolls + 1 : 0;
    this.#intervals = SLOWER_POLLS.find(([polls]) => this.#fewPolls > polls)?.[1] ?? 1;
    return this.#intervals * this.#pollIntervalMs;
  }

  async #awaitRecord(until: number, intervalMs: number): Promise<void> {
    const polls = this.#eagerSleeps > 0 ? 0 : QUIET_POLLS;
    for (let poll = 0; poll < polls; poll++) {
      const remainingMs = until - performance.now();
      if (remainingMs <= 0) return;
      await this.#sleep(Math.min(intervalMs, remainingMs));
      if (this.#woken || this.#rings.some((ring) => ring.pendingBytes() > 0)) return;
    }
    const begin = performance.now();
    if (begin >= until) return;
    await this.#sleepUntilWoken(until - begin);
    this.#eagerSleeps = performance.now() - begin >= LONG_SLEEP_MS ? EAGER_SLEEPS : Math.max(0, this.#eagerSleeps - 1);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Arms the wake-up before `wait` looks at the rings once more, so that no record is missed in between. */
  async #sleepUntilWoken(ms: number): Promise<void> {
    this.#control.arm();
    this.#endWait = () => {
      for (const ring of this.#rings) ring.endWaits();
    };
    try {
      await Promise.race(this.#rings.map((ring) => ring.wait(ms)));
    } finally {
      this.#endWait();
      this.#control.disarm();
    }
  }
}
