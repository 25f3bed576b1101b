import type { Retention } from './retention.ts';
import type { Store } from './store.ts';

/** Where there was nothing to do it is looked at again after so many intervals: a log that nothing is written to is not asked for what is too old in it. */
const IDLE_INTERVALS = 6;

/** Runs retention and compaction in small slices, a turn of the event loop between two. */
export class Maintenance {
  readonly #store: Store;
  readonly #retention: Retention;
  #timer: NodeJS.Timeout;
  #running: Promise<boolean> | null = null;
  #stopped = false;

  constructor(store: Store, retention: Retention) {
    this.#store = store;
    this.#retention = retention;
    this.#timer = this.#in(1);
  }

  #in(intervals: number): NodeJS.Timeout {
    return setTimeout(() => void this.#again(), intervals * this.#store.options.maintenanceIntervalMs).unref();
  }

  async #again(): Promise<void> {
    const worked = await this.run();
    if (!this.#stopped) this.#timer = this.#in(worked ? 1 : IDLE_INTERVALS);
  }

  /** Until nothing is left to do; whether there was something. A failure is logged and tried again next time; what fails for good fails the writes too. */
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
      this.#store.options.log?.warn(
        { err: error, path: this.#store.options.path },
        'bus retention failed; it is tried again',
      );
      return true;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
