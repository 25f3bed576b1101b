import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { RingBuffer } from '@ringfence/libbpf-ts';
import type { ControlBlock } from '../sensor/control-block.ts';

/** Polls without an event until the reader sleeps: waking up costs more than a few looks. */
const QUIET_POLLS = 8;

/** How the reader waits: by looking every few ms while events come, by sleeping until the kernel wakes it when none do. */
export class Pacer {
  readonly #rings: readonly RingBuffer[];
  readonly #control: ControlBlock;
  readonly #pollIntervalMs: number;
  #quiet = 0;
  #wake = new AbortController();

  constructor(rings: readonly RingBuffer[], control: ControlBlock, pollIntervalMs: number) {
    this.#rings = rings;
    this.#control = control;
    this.#pollIntervalMs = pollIntervalMs;
  }

  /** Ends the pause that is going on, or the next one. */
  wake(): void {
    this.#wake.abort();
  }

  /** `atMostMs`: until something else is due */
  async pause(taken: number, more: boolean, atMostMs: number): Promise<void> {
    this.#quiet = taken > 0 ? 0 : this.#quiet + 1;
    if (more) await nextTurn();
    else if (this.#quiet < QUIET_POLLS) await this.#sleep(Math.min(this.#pollIntervalMs, atMostMs));
    else await this.#sleepUntilWoken(atMostMs);
    if (this.#wake.signal.aborted) this.#wake = new AbortController();
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#wake;
    try {
      await sleep(ms, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** The flag is set before the rings are looked at once more (`wait` does): so no record is left behind. */
  async #sleepUntilWoken(ms: number): Promise<void> {
    this.#control.arm();
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#wake.signal, ended.signal]);
    try {
      await Promise.race(this.#rings.map((ring) => ring.wait(ms, signal)));
    } finally {
      ended.abort();
      this.#control.disarm();
    }
  }
}
