import { messageOf } from '@ringfence/base';
import { type Config, SERVICES } from '@ringfence/config';
import type { KindAccount } from '@ringfence/sensor';
import { type Checks, exposeStats, Metrics, type Stats, serveMetrics } from '@ringfence/telemetry';
import { records } from '@ringfence/wire';
import type { App } from '../app.ts';
import { DROP_OUTCOMES, sumOfDrops } from './drop-outcomes.ts';

/** Returns the numbers of a service's statistics, single or by label. Texts and lists are for people only. */
function countsOf(stats: object): Stats {
  const counts: Record<string, number | Record<string, number>> = {};
  for (const [key, value] of Object.entries(stats)) {
    if (typeof value === 'number') counts[key] = value;
    else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const numbers = Object.entries(value as object).filter(([, count]) => typeof count === 'number');
      if (numbers.length > 0) counts[key] = Object.fromEntries(numbers) as Record<string, number>;
    }
  }
  return counts;
}

const KINDS = Object.keys(records.Kind).map((name) => name.toLowerCase());
const labelOf = (outcome: string): string => outcome.replace(' ', '_');

/** Metrics of the first table of `ringfence stats`. The label `fate` is the outcome; `seen` is the sum of the rest. */
export function kernelMetrics(read: () => readonly KindAccount[]): Metrics {
  const metrics = new Metrics('collector');
  metrics.counter(
    'kernel_events_total',
    'Events in the kernel by kind and outcome since the sensor was loaded; `seen` counts all of them.',
    { kind: KINDS, fate: ['seen', 'sent', ...DROP_OUTCOMES.map(({ name }) => labelOf(name))] },
    function* () {
      for (const account of read()) {
        const { kind, seen, sent } = account;
        yield [{ kind, fate: 'seen' }, seen];
        yield [{ kind, fate: 'sent' }, sent];
        for (const { name, causes } of DROP_OUTCOMES)
          yield [{ kind, fate: labelOf(name) }, sumOfDrops(account, causes)];
      }
    },
  );
  return metrics;
}

/** Liveness, readiness and metrics of this process, also while its services start and after they have ended. */
export class AppMonitor {
  #waitingFor: string | null = 'starting';
  #app: App | null = null;
  #failure: string | null = null;
  #metrics: readonly Metrics[] = [];

  /** Sets what the start is waiting for; null: nothing. */
  setWaiting(reason: string | null): void {
    this.#waitingFor = reason;
  }

  setStarted(app: App): void {
    this.#app = app;
    this.#waitingFor = null;
    this.#metrics = metricsOf(app);
    app.done.catch((error: unknown) => {
      this.#failure = messageOf(error);
    });
  }

  async metrics(): Promise<readonly Metrics[]> {
    await this.#app?.services.collector?.refresh?.();
    return this.#metrics;
  }

  live(): Checks {
    return { services: this.#failure };
  }

  async ready(): Promise<Checks> {
    const start = this.#waitingFor;
    if (this.#app === null) return { start };
    const full = this.#app.deployment.bus.pressure().full ? 'the bus is full' : null;
    return { services: this.#failure, bus: full ?? (await brokerFailure(this.#app)) };
  }
}

/** Returns null when the brokers answer, or when there are none. */
async function brokerFailure({ deployment }: App): Promise<string | null> {
  try {
    await deployment.fleet?.kafka.connect();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function metricsOf(app: App): Metrics[] {
  const { bus, fleet } = app.deployment;
  const busMetrics = new Metrics('bus');
  busMetrics.gauge('used_bytes', 'Size of the embedded log.', () => bus.pressure().usedBytes);
  const schemas = 'schemaStats' in bus ? [exposeStats('bus', () => ({ ...bus.schemaStats() }))] : [];
  const services = SERVICES.flatMap((name) => {
    const service = app.services[name];
    return service === undefined ? [] : [exposeStats(name, () => countsOf(service.stats()))];
  });
  const { collector } = app.services;
  const kafka = fleet?.kafka;
  const { tracer, operators, controlLink: link } = app;
  return [
    busMetrics,
    ...schemas,
    ...services,
    ...(collector === undefined ? [] : [kernelMetrics(() => collector.stats().account.kinds)]),
    ...(operators.stats() === null ? [] : [exposeStats('operators', () => ({ ...operators.stats() }))]),
    ...(tracer === null ? [] : [exposeStats('tracing', () => ({ lost: tracer.lost }))]),
    ...(link === null ? [] : [exposeStats('control', () => countsOf(link.stats()))]),
    ...(kafka === undefined ? [] : [exposeStats('kafka', () => countsOf(kafka.stats()))]),
  ];
}

/** Serves `/metrics`, `/healthz` and `/readyz` on the address in the settings. Returns null when they are disabled. */
export async function serveMonitor({ metrics }: Config, monitor: AppMonitor): Promise<AsyncDisposable | null> {
  const { enabled, listen, token } = metrics;
  if (!enabled) return null;
  return serveMetrics({ listen, token, metrics: () => monitor.metrics(), health: monitor });
}
