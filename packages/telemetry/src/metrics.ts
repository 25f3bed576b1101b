import { Counter, Gauge, Registry } from 'prom-client';
import { MetricLabelError } from './errors.ts';

/** Every label with all values it can have. */
export type LabelSets = Readonly<Record<string, readonly string[]>>;

/** One value for each label. */
export type Labels<L extends LabelSets> = { readonly [K in keyof L]: L[K][number] };

function* combinations(sets: LabelSets): Generator<Record<string, string>> {
  const [first, ...rest] = Object.entries(sets);
  if (first === undefined) return yield {};
  const [name, values] = first;
  for (const value of values) {
    for (const remaining of combinations(Object.fromEntries(rest))) yield { [name]: value, ...remaining };
  }
}

function checkLabels(metric: string, sets: LabelSets, labels: Readonly<Record<string, string>>): void {
  for (const [label, values] of Object.entries(sets)) {
    const value = labels[label] ?? '';
    if (!values.includes(value)) throw new MetricLabelError(metric, label, value);
  }
}

/** The metrics of one service. Names become `ringfence_SERVICE_NAME`; values are read at each scrape. */
export class Metrics {
  readonly registry: Registry = new Registry();
  readonly #prefix: string;

  constructor(service: string) {
    this.#prefix = `ringfence_${service}_`;
  }

  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: this.#prefix + name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /**
   * A count that is kept elsewhere, by the kernel or the bus; it must never decrease. Every combination of labels is 0
   * from the start, so that the first increase is visible. A scrape fails with MetricLabelError when `read` returns a
   * label outside `sets`.
   */
  counter<const L extends LabelSets>(
    name: `${string}_total`,
    help: string,
    sets: L,
    read: () => Iterable<readonly [Labels<L>, number]>,
  ): void {
    new Counter({
      name: this.#prefix + name,
      help,
      labelNames: Object.keys(sets),
      registers: [this.registry],
      collect() {
        this.reset();
        for (const labels of combinations(sets)) this.inc(labels, 0);
        for (const [labels, value] of read()) {
          checkLabels(name, sets, labels);
          this.inc({ ...labels }, value);
        }
      },
    });
  }
}
