import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { type SigningKey, TOPIC } from '@ringfence/wire';
import type { DeafReason, EnricherStats } from './metrics.ts';
import type { EnricherPipeline } from './pipeline.ts';
import { type SilenceRecord, SilenceWatch } from './silence-watch.ts';

export interface SilenceTimerDeps {
  readonly bus: Bus;
  readonly key: SigningKey | null;
  readonly log: Log | undefined;
  /** A host without a tick for this long is silent; 0: never. */
  readonly afterMs: number;
  readonly stats: EnricherStats;
  readonly pipelines: ReadonlyMap<number, EnricherPipeline>;
}

/** After an outage of the brokers, agents reconnect within this time: the backoffs of producer and spool together. */
const RECONNECT_MS = 10_000;
/** A check that is at most this late has missed nothing. */
const LATE_MS = 1000;

/** Texts for the log and `ringfence status`. */
const MESSAGES: Readonly<Record<DeafReason, string>> = {
  late: "this enricher can't judge silence: its checks run too late, because it lacks CPU or the brokers are slow",
  behind: "this enricher can't judge silence: it is too far behind and has not read all records",
  unreachable: "this enricher can't judge silence: the brokers don't report how far behind it is",
};

/**
 * Starts the checks for silent hosts. No host is judged while the enricher is behind, can't reach the brokers, or
 * checks too late, because then it may not have received the ticks yet. Returns undefined if silence is off.
 */
export function startSilenceTimer(deps: SilenceTimerDeps): NodeJS.Timeout | undefined {
  if (deps.afterMs === 0) return undefined;
  const check = new SilenceCheck(deps);
  return setInterval(() => check.run(), Math.min(1000, deps.afterMs / 4)).unref();
}

class SilenceCheck {
  readonly #deps: SilenceTimerDeps;
  readonly #watch: SilenceWatch;
  #isRunning = false;
  /** Batches that were handled before the previous check */
  #handled = 0;
  #checkedAt = performance.now();
  /** Found but not on the bus yet. The watch returns each record once, so they are produced until it succeeds. */
  #pending: readonly SilenceRecord[] = [];

  constructor(deps: SilenceTimerDeps) {
    this.#deps = deps;
    this.#watch = new SilenceWatch(deps.afterMs, deps.key);
  }

  /** Does nothing while the previous check runs. */
  run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#check()
      .catch((err: unknown) => this.#suspend('unreachable', performance.now() + RECONNECT_MS, err))
      .finally(() => {
        this.#isRunning = false;
      });
  }

  async #check(): Promise<void> {
    const { bus, log, afterMs, stats, pipelines } = this.#deps;
    const handledSince = stats.batches - this.#handled;
    this.#handled = stats.batches;
    const lag = (await bus.lag('enricher')).get(TOPIC.raw) ?? 0;
    const now = performance.now();
    const isLate = now - this.#checkedAt > Math.max(afterMs / 2, LATE_MS);
    this.#checkedAt = now;
    // The brokers answered after an outage, or this process did not run.
    if (isLate) return this.#suspend('late', now + RECONNECT_MS);
    // Records that arrived since the previous check are not a backlog.
    if (lag > handledSince) return this.#suspend('behind', now);
    if (stats.deaf !== null && this.#watch.canJudge(now)) {
      stats.deaf = null;
      log?.info({}, 'this enricher can judge silence again');
    }
    const hosts = [...pipelines.values()].flatMap((pipeline) => [...pipeline.tickingHosts()]);
    if (this.#pending.length === 0) this.#pending = this.#watch.check(hosts, now);
    await bus.produce(this.#pending.map(({ hostId, value }) => ({ topic: TOPIC.events, key: hostId, value })));
    this.#pending = [];
  }

  #suspend(reason: DeafReason, until: number, err?: unknown): void {
    const { stats, log } = this.#deps;
    this.#watch.suspendUntil(until);
    stats.deafLooks[reason]++;
    if (stats.deaf === MESSAGES[reason]) return;
    stats.deaf = MESSAGES[reason];
    log?.warn(err === undefined ? {} : { err }, MESSAGES[reason]);
  }
}
