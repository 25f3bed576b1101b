/** One step on the way from a system call to what was done about it. Times in µs since the epoch. */
export interface Step {
  /** Id of the alert, 32 hex digits: as it derives from its events, it serves as W3C trace id, and services that share nothing but the bus agree on it. */
  readonly alert: string;
  /** `collect`, `enrich`, `detect`, `decide`, … : once per alert and `key` */
  readonly name: string;
  /** tells several steps of one name apart: a command, a version of an incident */
  readonly key?: string;
  readonly service: string;
  readonly start: number;
  readonly end: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

export interface StepTracer extends AsyncDisposable {
  record(step: Step): void;
  /** spans that could not be made or sent, since the start */
  readonly lost: number;
}

export interface TracingOptions {
  /** OTLP over HTTP, `http://collector:4318/v1/traces` */
  readonly endpoint: string;
  readonly version: string;
  /** which of several that do the same */
  readonly instance: string;
  readonly log?: { warn(facts: object, message: string): void };
}

/**
 * Sends steps as spans. A collector of traces that is away costs spans, never events: what could not be sent is dropped, and said. OpenTelemetry is loaded
 * only here: it costs a process 30 MB.
 */
export async function startTracing(options: TracingOptions): Promise<StepTracer> {
  const { traceBySpans } = await import('./spans.ts');
  return traceBySpans(options);
}
