/** One step of an alert, from the system call to the response. Times are in µs since the epoch. */
export interface Step {
  /**
   * Id of the alert, 32 hex digits. It is derived from the alert's events and serves as the W3C trace id, so services
   * agree on it without coordination.
   */
  readonly alert: string;
  /** `collect`, `enrich`, `detect`, `decide` and so on; unique per alert and `key` */
  readonly name: string;
  /** Distinguishes steps of the same name, such as commands or versions of an incident */
  readonly key?: string;
  readonly service: string;
  readonly start: number;
  readonly end: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

export interface StepTracer extends AsyncDisposable {
  record(step: Step): void;
  /** Number of spans that could not be created or sent since the start */
  readonly lost: number;
}

export interface TracingOptions {
  /** OTLP over HTTP, `http://collector:4318/v1/traces` */
  readonly endpoint: string;
  readonly version: string;
  /** Id of this instance among several of the same service */
  readonly instance: string;
  readonly log?: { warn(facts: object, message: string): void };
}

/**
 * Sends steps as spans. When the trace collector is unreachable, spans are dropped, counted and logged; events are not
 * affected. OpenTelemetry is loaded only here because it costs a process 30 MB.
 */
export async function startTracing(options: TracingOptions): Promise<StepTracer> {
  const { createSpanTracer } = await import('./spans.ts');
  return createSpanTracer(options);
}
