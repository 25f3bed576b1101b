import type { Log } from '@ringfence/base';

/** Checks within the time in which the service manager expects a beat. */
const CHECKS = 3;
const INTERVAL_MS = 20_000;

export interface WatchdogOptions {
  /** Called at each check while the process works. */
  readonly onHealthy: () => void;
  /** Time within which the service manager expects a beat, ms. @default 60 s */
  readonly expectedMs?: number | null;
  readonly log: Log;
}

/**
 * Checks that this process and the collector work: that the event loop reaches the check, and that the collector, which
 * may be in another process, has ticked since the last one. A stopped or frozen process does neither.
 */
export class Watchdog implements Disposable {
  readonly #options: WatchdogOptions;
  readonly #timer: NodeJS.Timeout;
  /** Undefined: there is no collector, or it starts. */
  #ticks: (() => Promise<number>) | undefined;
  #lastTicks = -1;
  /** The collector has not answered the last check. */
  #isWaiting = false;
  #isHealthy = true;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    const { expectedMs } = options;
    this.#timer = setInterval(() => void this.#check(), expectedMs ? expectedMs / CHECKS : INTERVAL_MS);
  }

  /** @param ticks resolves with a number that grows while the collector works */
  watch(ticks: () => Promise<number>): void {
    this.#ticks = ticks;
    void this.#check();
  }

  async #check(): Promise<void> {
    if (this.#ticks === undefined) return this.#options.onHealthy();
    if (this.#isWaiting) return this.#note(false);
    this.#isWaiting = true;
    try {
      const count = await this.#ticks();
      this.#note(count > this.#lastTicks);
      this.#lastTicks = count;
    } catch {
      // The collector's end is reported where its services wait for it.
    } finally {
      this.#isWaiting = false;
    }
  }

  #note(isHealthy: boolean): void {
    const { onHealthy, log } = this.#options;
    if (isHealthy) onHealthy();
    if (isHealthy === this.#isHealthy) return;
    this.#isHealthy = isHealthy;
    if (isHealthy) log.warn({}, 'the collector ticks again');
    else
      log.error({}, 'the collector does not tick: its process is stopped, frozen or overloaded, and no event is read');
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
