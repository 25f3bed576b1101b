import { bootMicros, wallOffset } from '@ringfence/host-kit';
import type { LaneCounters } from '@ringfence/wire';
import type { Batch } from './batch.ts';
import type { OwnEvents } from './own-events.ts';

/** Where nothing has happened since the last tick the next one is waited for twice as long, but no more than this longer, ms: waking up is most of what an idle agent costs. */
const IDLE_MORE_MS = 1000;

/** The tick: when it is due, and what it carries. */
export class Ticker {
  /** µs, CLOCK_BOOTTIME, of the tick that is being made; null: none is due */
  ktime: number | null = null;
  readonly #intervalMs: number;
  readonly #batch: Batch;
  readonly #own: OwnEvents;
  readonly #counters: () => readonly LaneCounters[];
  #dueAt = 0;
  /** something was seen since the last tick */
  #eventful = false;
  #last = false;

  constructor(intervalMs: number, batch: Batch, own: OwnEvents, counters: () => readonly LaneCounters[]) {
    this.#intervalMs = intervalMs;
    this.#batch = batch;
    this.#own = own;
    this.#counters = counters;
  }

  /** ms until there has to be one; one that is due is made before, when the agent is awake anyway */
  get inMs(): number {
    const idleMs = this.#eventful || this.#last ? 0 : Math.min(this.#intervalMs, IDLE_MORE_MS);
    return Math.max(0, this.#dueAt + idleMs - performance.now());
  }

  /** Events have come: the next tick is due an interval after the last one. */
  seen(): void {
    this.#eventful = true;
  }

  /** The next tick is due now, and is the last one. */
  end(): void {
    this.#last = true;
    this.#dueAt = 0;
  }

  /** true once when a new tick begins. Ticks that were missed (a stopped process) are not made up for: one tells the time. */
  begin(): boolean {
    const lateMs = performance.now() - this.#dueAt;
    if (this.ktime !== null || lateMs < 0) return false;
    this.#dueAt += this.#intervalMs + (lateMs < this.#intervalMs / 2 ? 0 : lateMs);
    this.#eventful = false;
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
