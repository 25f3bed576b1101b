import type { Retention } from './retention.ts';
import type { Store } from './store.ts';

/** Runs retention and compaction in small slices, a turn of the event loop between two. */
export class Maintenance {
  readonly #store: Store;
  readonly #retention: Retention;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(store: Store, retention: Retention) {
    this.#store = store;
    this.#retention = retention;
    this.#timer = setInterval(() => void this.run(), store.options.maintenanceIntervalMs).unref();
  }

  /** Until nothing is left to do. A failure is logged and tried again next time; what fails for good fails the writes too. */
  run(): Promise<void> {
    this.#running ??= this.#work().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #work(): Promise<void> {
    try {
      while (!this.#stopped && this.#retention.step()) await new Promise((resolve) => setImmediate(resolve));
    } catch (error) {
      this.#store.options.log?.warn(
        { err: error, path: this.#store.options.path },
        'bus retention failed; it is tried again',
      );
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }
}
