import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { MetricLabelError } from './errors.ts';

/** Every label with every value it can have. */
export type LabelSets = Readonly<Record<string, readonly string[]>>;

/** One value for each label. */
export type Labels<L extends LabelSets> = { readonly [K in keyof L]: L[K][number] };

export interface Count<L extends LabelSets> {
  /** @default by 1 */
  add(labels: Labels<L>, by?: number): void;
}

export interface Level<L extends LabelSets> {
  set(labels: Labels<L>, value: number): void;
}

export interface Distribution {
  observe(value: number): void;
}

function* combinations(sets: LabelSets): Generator<Record<string, string>> {
  const [first, ...rest] = Object.entries(sets);
  if (first === undefined) return yield {};
  const [name, values] = first;
  for (const value of values)
    for (const others of combinations(Object.fromEntries(rest))) yield { [name]: value, ...others };
}

function checkLabels(metric: string, sets: LabelSets, labels: Readonly<Record<string, string>>): void {
  for (const [label, values] of Object.entries(sets)) {
    const value = labels[label] ?? '';
    if (!values.includes(value)) throw new MetricLabelError(metric, label, value);
  }
}

/** The metrics of one service, made where it starts and handed to what is measured. Names become `ringfence_SERVICE_NAME`. */
export class Metrics {
  readonly registry: Registry = new Registry();
  readonly #prefix: string;

  constructor(service: string) {
    this.#prefix = `ringfence_${service}_`;
  }

  /** Counts up for ever; every combination of labels stands at 0 from the start, so that the first one is seen as an increase. */
  counter<const L extends LabelSets>(name: `${string}_total`, help: string, sets: L): Count<L> {
    const counter = new Counter({
      name: this.#prefix + name,
      help,
      labelNames: Object.keys(sets),
      registers: [this.registry],
    });
    for (const labels of combinations(sets)) counter.inc(labels, 0);
    return {
      add: (labels, by = 1) => {
        checkLabels(name, sets, labels);
        counter.inc({ ...labels }, by);
      },
    };
  }

  gauge<const L extends LabelSets>(name: string, help: string, sets: L): Level<L> {
    const gauge = new Gauge({
      name: this.#prefix + name,
      help,
      labelNames: Object.keys(sets),
      registers: [this.registry],
    });
    return {
      set: (labels, value) => {
        checkLabels(name, sets, labels);
        gauge.set({ ...labels }, value);
      },
    };
  }

  /** A value read when somebody looks. */
  observed(name: string, help: string, read: () => number): void {
    new Gauge({
      name: this.#prefix + name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** A count kept elsewhere (by the kernel, in the bus), read when somebody looks. It must never go down. */
  observedTotal<const L extends LabelSets>(
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

  /** `buckets` are upper bounds, in the unit that the name ends with. */
  histogram(
    name: `${string}_${'seconds' | 'bytes' | 'records'}`,
    help: string,
    buckets: readonly number[],
  ): Distribution {
    const histogram = new Histogram({
      name: this.#prefix + name,
      help,
      buckets: [...buckets],
      registers: [this.registry],
    });
    return { observe: (value) => histogram.observe(value) };
  }
}
