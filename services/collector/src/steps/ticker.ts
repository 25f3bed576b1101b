import { bootMicros, wallOffset } from '@ringfence/host-kit';
import type { LaneCounters } from '@ringfence/wire';
import type { Batch } from '../delivery/batch.ts';
import type { AgentEvents } from './agent-events.ts';

/** Maximum extra delay of a tick on an idle host, ms: waking up is most of what an idle agent costs. */
const IDLE_EXTRA_MS = 1000;

/** Decides when a tick is due, and writes it with the counters of every lane. */
export class Ticker {
  /** µs, CLOCK_BOOTTIME, of the tick that has begun and is not written yet; otherwise null */
  ktime: number | null = null;
  readonly #intervalMs: number;
  readonly #batch: Batch;
  readonly #agentEvents: AgentEvents;
  readonly #counters: () => readonly LaneCounters[];
  #dueAt = 0;
  /** Whether events came since the last tick */
  #eventful = false;
  #isLast = false;

  constructor(intervalMs: number, batch: Batch, agentEvents: AgentEvents, counters: () => readonly LaneCounters[]) {
    this.#intervalMs = intervalMs;
    this.#batch = batch;
    this.#agentEvents = agentEvents;
    this.#counters = counters;
  }

  /**
   * ms that the agent may sleep until the next tick, longer when no events came since the last one. If the agent wakes
   * for another reason, the tick begins as soon as its interval is over.
   */
  get maxSleepMs(): number {
    const idleMs = this.#eventful || this.#isLast ? 0 : Math.min(this.#intervalMs, IDLE_EXTRA_MS);
    return Math.max(0, this.#dueAt + idleMs - performance.now());
  }

  /** Notes that events came: the next tick is not delayed. */
  noteEvents(): void {
    this.#eventful = true;
  }

  /** Makes the last tick due now. */
  finish(): void {
    this.#isLast = true;
    this.#dueAt = 0;
  }

  /** Begins a tick and returns true when one is due. After a suspension, one tick stands for all missed ones. */
  begin(): boolean {
    const lateMs = performance.now() - this.#dueAt;
    if (this.ktime !== null || lateMs < 0) return false;
    this.#dueAt += this.#intervalMs + (lateMs < this.#intervalMs / 2 ? 0 : lateMs);
    this.#eventful = false;
    this.ktime = bootMicros();
    this.#batch.facts.wallOffset = wallOffset();
    return true;
  }

  /** Writes the tick that has begun, with the counters of every lane. */
  write(): void {
    if (this.ktime === null) return;
    this.#agentEvents.tick(this.ktime, this.#batch.facts.wallOffset, this.#isLast);
    this.#batch.setLanes(this.#counters());
    this.ktime = null;
  }
}
