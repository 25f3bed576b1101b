import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { type SigningKey, TOPIC } from '@ringfence/wire';
import type { DeafBy, EnricherStats } from './metrics.ts';
import type { EnricherPipeline } from './pipeline.ts';
import { type SilenceRecord, SilenceWatch } from './silence.ts';

export interface Listening {
  readonly bus: Bus;
  readonly key: SigningKey | null;
  readonly log: Log | undefined;
  readonly afterMs: number;
  readonly stats: EnricherStats;
  readonly pipelines: ReadonlyMap<number, EnricherPipeline>;
}

/** Agents come back to a broker that was away after a pause of their own, of seconds: the producer's and the spool's together. */
const RECONNECT_MS = 10_000;
/** A look may be that late without having missed anything. */
const LATE_MS = 1000;

/** In plain words, for the log and `ringfence status`. */
const WHY: Readonly<Record<DeafBy, string>> = {
  late: 'this enricher looks too late to tell silence: it lacks CPU, or the brokers answer slowly',
  behind: 'this enricher is too far behind to tell silence: it has not read all that was sent',
  unreachable: 'this enricher cannot tell silence: the brokers do not say how far behind it is',
};

/** Tells silent hosts while everything that was sent is heard: who is behind, can't reach the brokers, or looks late is deaf itself. */
export function listen({ bus, key, log, afterMs, stats, pipelines }: Listening): NodeJS.Timeout | undefined {
  if (afterMs === 0) return undefined;
  const watch = new SilenceWatch(afterMs, key);
  let busy = false;
  let handled = 0;
  let looked = performance.now();
  /** found, and not yet on the bus: said but once by the watch, it is offered until it is taken */
  let unsaid: readonly SilenceRecord[] = [];
  const deaf = (by: DeafBy, until: number, err?: unknown): void => {
    watch.deaf(until);
    stats.deafLooks[by]++;
    if (stats.deaf === WHY[by]) return;
    stats.deaf = WHY[by];
    log?.warn(err === undefined ? {} : { err }, WHY[by]);
  };
  const look = async (): Promise<void> => {
    const since = stats.batches - handled;
    handled = stats.batches;
    const behind = (await bus.lag('enricher')).get(TOPIC.raw) ?? 0;
    const now = performance.now();
    const late = now - looked > Math.max(afterMs / 2, LATE_MS);
    looked = now;
    // The brokers answered after an outage, or this process did not run.
    if (late) return deaf('late', now + RECONNECT_MS);
    // Records that come meanwhile are no backlog.
    if (behind > since) return deaf('behind', now);
    if (stats.deaf !== null && watch.hears(now)) {
      stats.deaf = null;
      log?.info({}, 'this enricher can tell silence again');
    }
    const hosts = [...pipelines.values()].flatMap((pipeline) => [...pipeline.heard()]);
    if (unsaid.length === 0) unsaid = watch.look(hosts, now);
    await bus.produce(unsaid.map(({ hostId, value }) => ({ topic: TOPIC.events, key: hostId, value })));
    unsaid = [];
  };
  return setInterval(
    () => {
      if (busy) return;
      busy = true;
      look()
        .catch((err: unknown) => deaf('unreachable', performance.now() + RECONNECT_MS, err))
        .finally(() => {
          busy = false;
        });
    },
    Math.min(1000, afterMs / 4),
  ).unref();
}
