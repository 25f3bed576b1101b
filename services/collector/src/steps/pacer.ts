import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RingBuffer } from '@ringfence/libbpf-ts';
import type { ControlBlock } from '@ringfence/sensor';

/** Looks without a record until the reader sleeps: waking up costs more than a few looks. */
const QUIET_LOOKS = 3;
/** After a sleep of this long, ms, the reader sleeps at once again, so that what follows the first record is read as soon as that was. */
const LONG_SLEEP_MS = 10;
/** So many times; what goes on coming is collected by looking. */
const EAGER_SLEEPS = 2;
/** Fewer events than this within a poll interval cost less than the look itself (a batch is signed and committed each time). */
const FEW_EVENTS = 64;
/**
 * After so many such looks in a row the next ones wait so many intervals: what begins after a rest, as most of what matters does, is read at once, a burst at the old pace, and
 * a trickle that goes on for long costs a fraction of it.
 */
const FEW_LOOKS: readonly (readonly [looks: number, intervals: number])[] = [
  [32, 3],
  [8, 2],
];

/** How the reader waits: by looking every few ms while events come, by sleeping until the kernel wakes it when none do. */
export class Pacer {
  readonly #rings: readonly RingBuffer[];
  readonly #control: ControlBlock;
  readonly #pollIntervalMs: number;
  #woken = false;
  /** ends the wait that is going on */
  #end: () => void = () => undefined;
  #eagerSleeps = 0;
  /** looks in a row that have found few events */
  #fewLooks = 0;
  /** that the last look has waited for */
  #intervals = 1;

  constructor(rings: readonly RingBuffer[], control: ControlBlock, pollIntervalMs: number) {
    this.#rings = rings;
    this.#control = control;
    this.#pollIntervalMs = pollIntervalMs;
  }

  /** Ends the pause that is going on, or the next one. */
  wake(): void {
    this.#woken = true;
    this.#end();
  }

  /**
   * Until the rings hold something, but not longer than `atMostMs`. `taken`: events of the last look. `more`: the rings hold some already; others get their
   * turn only.
   */
  async pause(taken: number, more: boolean, atMostMs: number): Promise<void> {
    if (more) await nextTurn();
    else if (!this.#woken) await this.#quiet(performance.now() + atMostMs, this.#interval(taken));
    this.#woken = false;
  }

  #interval(taken: number): number {
    this.#fewLooks = taken > 0 && taken < FEW_EVENTS * this.#intervals ? this.#fewLooks + 1 : 0;
    this.#intervals = FEW_LOOKS.find(([looks]) => this.#fewLooks > looks)?.[1] ?? 1;
    return this.#intervals * this.#pollIntervalMs;
  }

  async #quiet(until: number, intervalMs: number): Promise<void> {
    const looks = this.#eagerSleeps > 0 ? 0 : QUIET_LOOKS;
    for (let look = 0; look < looks; look++) {
      const left = until - performance.now();
      if (left <= 0) return;
      await this.#sleep(Math.min(intervalMs, left));
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
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The flag is set before the rings are looked at once more (`wait` does): so no record is left behind. */
  async #sleepUntilWoken(ms: number): Promise<void> {
    this.#control.arm();
    this.#end = () => {
      for (const ring of this.#rings) ring.endWaits();
    };
    try {
      await Promise.race(this.#rings.map((ring) => ring.wait(ms)));
    } finally {
      this.#end();
      this.#control.disarm();
    }
  }
}
