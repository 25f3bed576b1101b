import { type Config, SERVICES } from '@ringfence/config';
import type { KindAccount } from '@ringfence/sensor';
import { type Checks, exposeStats, Metrics, type Stats, serveMetrics } from '@ringfence/telemetry';
import { records } from '@ringfence/wire';
import type { App } from './app.ts';
import { FATES, sumOf } from './status/fates.ts';

/** Numbers and numbers by reason; what else a service tells is for people. */
function countsOf(stats: object): Stats {
  const counts: Record<string, number | Record<string, number>> = {};
  for (const [key, value] of Object.entries(stats)) {
    if (typeof value === 'number') counts[key] = value;
    else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const numbers = Object.entries(value as object).filter(([, one]) => typeof one === 'number');
      if (numbers.length > 0) counts[key] = Object.fromEntries(numbers) as Record<string, number>;
    }
  }
  return counts;
}

const KINDS = Object.keys(records.Kind).map((name) => name.toLowerCase());
const labelOf = (fate: string): string => fate.replace(' ', '_');

/** The first table of `ringfence stats`: `seen` is the sum of the other fates. */
export function kernelMetrics(read: () => readonly KindAccount[]): Metrics {
  const metrics = new Metrics('collector');
  metrics.counter(
    'kernel_events_total',
    'Events in the kernel by kind, since the sensor was loaded: those seen, and what became of them.',
    { kind: KINDS, fate: ['seen', 'sent', ...FATES.map(({ fate }) => labelOf(fate))] },
    function* () {
      for (const account of read()) {
        const { kind, seen, sent } = account;
        yield [{ kind, fate: 'seen' }, seen];
        yield [{ kind, fate: 'sent' }, sent];
        for (const { fate, causes } of FATES) yield [{ kind, fate: labelOf(fate) }, sumOf(account, causes)];
      }
    },
  );
  return metrics;
}

/** What a process tells those who run it, from before its services are there until after they are gone. */
export class AppMonitor {
  #waiting: string | null = 'starting';
  #app: App | null = null;
  #failure: string | null = null;
  #metrics: readonly Metrics[] = [];

  /** in plain words; null: for nothing */
  waiting(what: string | null): void {
    this.#waiting = what;
  }

  started(app: App): void {
    this.#app = app;
    this.#waiting = null;
    this.#metrics = metricsOf(app);
    app.done.catch((error: unknown) => {
      this.#failure = error instanceof Error ? error.message : String(error);
    });
  }

  /** As of now. */
  async metrics(): Promise<readonly Metrics[]> {
    await this.#app?.services.collector?.refresh?.();
    return this.#metrics;
  }

  live(): Checks {
    return { services: this.#failure };
  }

  async ready(): Promise<Checks> {
    const start = this.#waiting;
    if (this.#app === null) return { start };
    const full = this.#app.site.bus.pressure().full ? 'the bus is full' : null;
    return { services: this.#failure, bus: full ?? (await brokersOf(this.#app)) };
  }
}

/** null: they answer, or there are none. */
async function brokersOf({ site }: App): Promise<string | null> {
  try {
    await site.fleet?.kafka.connect();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function metricsOf(app: App): Metrics[] {
  const { bus } = app.site;
  const own = new Metrics('bus');
  own.gauge('used_bytes', 'Size of the embedded log.', () => bus.pressure().usedBytes);
  const schemas = 'schemaStats' in bus ? [exposeStats('bus', () => ({ ...bus.schemaStats() }))] : [];
  const services = SERVICES.flatMap((name) => {
    const service = app.services[name];
    return service === undefined ? [] : [exposeStats(name, () => countsOf(service.stats()))];
  });
  const { collector } = app.services;
  const kafka = app.site.fleet?.kafka;
  const { tracer } = app;
  return [
    own,
    ...schemas,
    ...services,
    ...(collector === undefined ? [] : [kernelMetrics(() => collector.stats().account.kinds)]),
    ...(tracer === null ? [] : [exposeStats('tracing', () => ({ lost: tracer.lost }))]),
    ...(kafka === undefined ? [] : [exposeStats('kafka', () => countsOf(kafka.stats()))]),
  ];
}

/** Serves `/metrics`, `/healthz` and `/readyz` where `metrics` says so. */
export async function serveMonitor({ metrics }: Config, monitor: AppMonitor): Promise<AsyncDisposable | null> {
  const { enabled, listen, token } = metrics;
  if (!enabled) return null;
  return serveMetrics({ listen, token, metrics: () => monitor.metrics(), health: monitor });
}
