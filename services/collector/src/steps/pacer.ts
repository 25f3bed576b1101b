import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { RingBuffer } from '@ringfence/libbpf-ts';
import type { ControlBlock } from '../sensor/control-block.ts';

/** Looks without a record until the reader sleeps: waking up costs more than a few looks. */
const QUIET_LOOKS = 3;
/** After a sleep of this long, ms, the reader sleeps at once again, so that what follows the first record is read as soon as that was. */
const LONG_SLEEP_MS = 10;
/** So many times; what goes on coming is collected by looking. */
const EAGER_SLEEPS = 2;

/** How the reader waits: by looking every few ms while events come, by sleeping until the kernel wakes it when none do. */
export class Pacer {
  readonly #rings: readonly RingBuffer[];
  readonly #control: ControlBlock;
  readonly #pollIntervalMs: number;
  #wake = new AbortController();
  #eagerSleeps = 0;

  constructor(rings: readonly RingBuffer[], control: ControlBlock, pollIntervalMs: number) {
    this.#rings = rings;
    this.#control = control;
    this.#pollIntervalMs = pollIntervalMs;
  }

  /** Ends the pause that is going on, or the next one. */
  wake(): void {
    this.#wake.abort();
  }

  /** Until the rings hold something, but not longer than `atMostMs`. `more`: they do already; others get their turn only. */
  async pause(more: boolean, atMostMs: number): Promise<void> {
    if (more) await nextTurn();
    else await this.#quiet(performance.now() + atMostMs);
    if (this.#wake.signal.aborted) this.#wake = new AbortController();
  }

  async #quiet(until: number): Promise<void> {
    const looks = this.#eagerSleeps > 0 ? 0 : QUIET_LOOKS;
    for (let look = 0; look < looks; look++) {
      const left = until - performance.now();
      if (left <= 0) return;
      await this.#sleep(Math.min(this.#pollIntervalMs, left));
      if (this.#wake.signal.aborted || this.#rings.some((ring) => ring.pendingBytes() > 0)) return;
    }
    const begin = performance.now();
    if (begin >= until) return;
    await this.#sleepUntilWoken(until - begin);
    this.#eagerSleeps = performance.now() - begin >= LONG_SLEEP_MS ? EAGER_SLEEPS : Math.max(0, this.#eagerSleeps - 1);
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
