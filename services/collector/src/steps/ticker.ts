import type { LaneCounters } from '@ringfence/schema';
import { bootMicros, wallOffset } from '../clock.ts';
import type { Batch } from './batch.ts';
import type { OwnEvents } from './own-events.ts';

/** A tick each second: when it is due, and what it carries. */
export class Ticker {
  /** µs, CLOCK_BOOTTIME, of the tick that is being made; null: none is due */
  ktime: number | null = null;
  readonly #intervalMs: number;
  readonly #batch: Batch;
  readonly #own: OwnEvents;
  readonly #counters: () => readonly LaneCounters[];
  #dueAt = 0;
  #last = false;

  constructor(intervalMs: number, batch: Batch, own: OwnEvents, counters: () => readonly LaneCounters[]) {
    this.#intervalMs = intervalMs;
    this.#batch = batch;
    this.#own = own;
    this.#counters = counters;
  }

  get inMs(): number {
    return Math.max(0, this.#dueAt - performance.now());
  }

  /** The next tick is due now, and is the last one. */
  end(): void {
    this.#last = true;
    this.#dueAt = 0;
  }

  /** true once when a new tick begins. Ticks that were missed (a stopped process) are not made up for: one tells the time. */
  begin(): boolean {
    const now = performance.now();
    if (this.ktime !== null || now < this.#dueAt) return false;
    this.#dueAt = Math.max(this.#dueAt + this.#intervalMs, now + this.#intervalMs / 2);
    this.ktime = bootMicros();
    this.#batch.facts.wallOffset = wallOffset();
    return true;
  }

  /** Writes the tick that was begun, with the counters of every lane. */
  write(): void {
    if (this.ktime === null) return;
    this.#own.tick(this.ktime, this.#batch.facts.wallOffset, this.#last);
    this.#batch.setLanes(this.#counters());
    this.ktime = null;
  }
}
