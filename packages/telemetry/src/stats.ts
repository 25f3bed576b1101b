import { Gauge } from 'prom-client';
import { Metrics } from './metrics.ts';

/** Counts of a service: plain numbers, or numbers by a closed set of reasons. */
export type Stats = Readonly<Record<string, number | Readonly<Record<string, number>>>>;

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, '_$&').toLowerCase();
}

/**
 * Exposes a service's counts as metrics, read at each scrape: `deadLetters` becomes ringfence_SERVICE_dead_letters, and
 * a nested count has its key as the label `by`. `read` must always return the same keys.
 */
export function exposeStats(service: string, read: () => Stats): Metrics {
  const metrics = new Metrics(service);
  for (const [key, initial] of Object.entries(read())) {
    const nested = typeof initial !== 'number';
    new Gauge({
      name: `ringfence_${service}_${snakeCase(key)}`,
      help: `${key} of the ${service}.`,
      labelNames: nested ? ['by'] : [],
      registers: [metrics.registry],
      collect() {
        const value = read()[key] ?? 0;
        if (typeof value === 'number') this.set(value);
        else for (const [by, count] of Object.entries(value)) this.set({ by }, count);
      },
    });
  }
  return metrics;
}
