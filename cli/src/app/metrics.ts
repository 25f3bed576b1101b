import { SERVICES } from '@ringfence/config';
import { exposeStats, Metrics, type Stats, serveMetrics } from '@ringfence/telemetry';
import type { App } from './app.ts';

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

/** Serves every service's counts, and the bus's own, where `metrics` says so. */
export async function serveAppMetrics(app: App): Promise<AsyncDisposable | null> {
  const { enabled, listen, token } = app.config.metrics;
  if (!enabled) return null;
  const own = new Metrics('bus');
  own.observed('used_bytes', 'Size of the embedded log.', () => app.site.bus.pressure().usedBytes);
  const metrics = SERVICES.flatMap((name) => {
    const service = app.services[name];
    return service === undefined ? [] : [exposeStats(name, () => countsOf(service.stats()))];
  });
  return serveMetrics({ listen, token, metrics: () => [own, ...metrics] });
}
