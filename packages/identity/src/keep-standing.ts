import { backoffMs, LogThrottle, messageOf, pause } from '@ringfence/base';
import type { FleetStanding } from './standing.ts';

/** Shortest interval between two requests, ms, however often `refresh` is called. */
const MIN_INTERVAL_MS = 2000;
const FIRST_RETRY_MS = 5000;
const LOG_AGAIN_MS = 3_600_000;

export interface KeepStandingOptions {
  readonly standing: FleetStanding;
  /** Returns the newest framed Standing from the registrar, or null when the registrar has none */
  readonly fetch: () => Promise<Uint8Array | null>;
  /** Time without a newer standing after which one is fetched, ms */
  readonly refreshMs: number;
  readonly log: { warn(facts: object, message: string): void };
  /** @default 2 s */
  readonly minIntervalMs?: number;
}

export interface StandingKeeper extends AsyncDisposable {
  /** Fetches soon: a service was revoked, or is not in the standing. */
  refresh(): void;
}

/** Fetches a newer standing from the registrar when no responder has delivered one for `refreshMs`. */
export function keepStanding(options: KeepStandingOptions): StandingKeeper {
  return new Keeper(options);
}

class Keeper implements StandingKeeper {
  readonly #options: KeepStandingOptions;
  readonly #stop = new AbortController();
  readonly #warnings = new LogThrottle(LOG_AGAIN_MS);
  readonly #watch: Disposable;
  readonly #running: Promise<void>;
  #wake = new AbortController();
  #failures = 0;
  /** Monotonic time of the last newer standing or answer of the registrar, ms */
  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(options: KeepStandingOptions) {
    this.#options = options;
    this.#watch = options.standing.onChange(() => {
      this.#answeredMs = performance.now();
      this.#failures = 0;
    });
    this.#running = this.#run();
  }

  refresh(): void {
    this.#wake.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#watch[Symbol.dispose]();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { minIntervalMs = MIN_INTERVAL_MS } = this.#options;
    while (!signal.aborted) {
      const waitMs = this.#waitMs();
      if (waitMs > 0 && !this.#wake.signal.aborted) {
        await pause(waitMs, AbortSignal.any([signal, this.#wake.signal]), { ref: false });
        // A responder may have delivered a newer standing in the meantime.
        if (this.#failures === 0) continue;
      }
      if (signal.aborted) return;
      this.#wake = new AbortController();
      await this.#fetch();
      await pause(minIntervalMs, signal, { ref: false });
    }
  }

  /** The jitter keeps a fleet that started at once from asking at once. */
  #waitMs(): number {
    const { standing, refreshMs } = this.#options;
    if (this.#failures > 0) return backoffMs(this.#failures - 1, { firstMs: FIRST_RETRY_MS, maxMs: refreshMs });
    // The age alone would be too high all the time where the clocks of two machines differ.
    const ageMs = Math.min(standing.ageMs ?? Number.POSITIVE_INFINITY, performance.now() - this.#answeredMs);
    return refreshMs * (0.9 + Math.random() / 10) - ageMs;
  }

  async #fetch(): Promise<void> {
    const { standing, fetch } = this.#options;
    try {
      const bytes = await fetch();
      this.#failures = 0;
      this.#answeredMs = performance.now();
      if (bytes === null) standing.markUnsupported();
      else standing.add(bytes);
      this.#warnUnlessCurrent();
    } catch (error) {
      this.#failures++;
      this.#warn(
        'failed',
        { error: messageOf(error) },
        'the registrar did not send the standing of the fleet: retrying',
      );
    }
  }

  #warnUnlessCurrent(): void {
    const { state } = this.#options.standing;
    if (state === 'unsupported') {
      const message =
        'the registrar has no standings, so a revoked responder may still be obeyed: upgrade the registrar';
      this.#warn(state, {}, message);
    } else if (state === 'expired') {
      const message =
        'the newest standing of the registrar is too old: compare the clocks of this machine and the registrar';
      this.#warn(state, {}, message);
    }
  }

  #warn(key: string, facts: object, message: string): void {
    const { standing, log } = this.#options;
    if (this.#warnings.shouldLog(key) === null) return;
    log.warn({ standing: standing.state, ageMs: standing.ageMs, ...facts }, message);
  }
}
