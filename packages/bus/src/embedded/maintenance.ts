import type { Retention } from './retention.ts';
import type { Store } from './store.ts';

/** Intervals to the next run when the last one found nothing to do, so that an idle bus runs few queries. */
const IDLE_INTERVALS = 6;

/** Runs retention and compaction in small slices, with a turn of the event loop between two of them. */
export class Maintenance {
  readonly #store: Store;
  readonly #retention: Retention;
  #timer: NodeJS.Timeout;
  #running: Promise<boolean> | null = null;
  #stopped = false;

  constructor(store: Store, retention: Retention) {
    this.#store = store;
    this.#retention = retention;
    this.#timer = this.#schedule(1);
  }

  #schedule(intervals: number): NodeJS.Timeout {
    return setTimeout(() => void this.#runScheduled(), intervals * this.#store.options.maintenanceIntervalMs).unref();
  }

  async #runScheduled(): Promise<void> {
    const worked = await this.run();
    if (!this.#stopped) this.#timer = this.#schedule(worked ? 1 : IDLE_INTERVALS);
  }

  /**
   * Runs until nothing is left to do. Returns whether there was work. Logs a failure, which the next run retries; a
   * lasting failure also fails the writes.
   */
  run(): Promise<boolean> {
    this.#running ??= this.#work().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #work(): Promise<boolean> {
    let worked = false;
    try {
      while (!this.#stopped && this.#retention.step()) {
        worked = true;
        await new Promise((resolve) => setImmediate(resolve));
      }
      return worked;
    } catch (error) {
      this.#store.options.log?.warn({ err: error, path: this.#store.options.path }, 'bus retention failed; retrying');
      return true;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
