import { CollectorError } from '../errors.ts';
import type { AgentParts } from '../parts.ts';
import { type Cycle, runCycle } from '../pipeline.ts';

interface Settler {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Runs cycles of the pipeline until the agent stops. */
export class CycleLoop {
  readonly #parts: AgentParts;
  /** Callers of `settle` */
  #settlers: Settler[] = [];
  #ticks = 0;
  #isStopping = false;
  #hasFailed = false;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  /** Number of ticks since the start */
  get ticks(): number {
    return this.#ticks;
  }

  /** Resolves after `stop`. Rejects when a cycle fails; the rings then keep every record that was not delivered. */
  async run(): Promise<void> {
    const { pacer, pipeline } = this.#parts;
    const { ticker, outbox } = pipeline;
    try {
      while (!this.#isStopping) {
        const { taken, more } = await this.cycle();
        if (!this.#isStopping) await pacer.pause(taken, more, Math.min(ticker.maxSleepMs, outbox.retryInMs));
      }
    } catch (error) {
      this.#hasFailed = true;
      for (const { reject } of this.#settlers.splice(0)) reject(error);
      throw error;
    }
  }

  /** Runs one cycle. Tampering is looked up at each tick, and its events go out with the next cycle. */
  async cycle(): Promise<Cycle> {
    const { sensor, tampering, pipeline, pacer } = this.#parts;
    const settlers = this.#settlers;
    this.#settlers = [];
    const cycle = await this.#runCycle(settlers);
    tampering.markDelivered();
    if (cycle.ticked) {
      tampering.report(sensor.selfCheck.run());
      this.#ticks++;
    }
    const { security, bulk } = pipeline;
    if (cycle.more || security.busy || bulk.busy) this.#settlers.push(...settlers);
    else for (const { resolve } of settlers) resolve();
    if (this.#settlers.length > 0) pacer.wake();
    return cycle;
  }

  async #runCycle(settlers: readonly Settler[]): Promise<Cycle> {
    try {
      return await runCycle(this.#parts.pipeline);
    } catch (error) {
      for (const { reject } of settlers) reject(error);
      throw error;
    }
  }

  /**
   * Resolves when every record that the kernel has written by now is on the bus or in the spool. Rejects with
   * CollectorError (ERR_COLLECTOR_CLOSED) after `stop` or a failure.
   */
  settle(): Promise<void> {
    if (this.#isStopping || this.#hasFailed)
      return Promise.reject(new CollectorError('ERR_COLLECTOR_CLOSED', 'the collector is closed: start another one'));
    return new Promise((resolve, reject) => {
      this.#settlers.push({ resolve, reject });
      this.#parts.pacer.wake();
    });
  }

  /** Ends `run` after the current cycle. */
  stop(): void {
    this.#isStopping = true;
    this.#parts.pipeline.outbox.stopWaiting();
    this.#parts.pacer.wake();
  }
}
