import { hash } from 'node:crypto';

/** One step on the way from a system call to what was done about it. Times in µs since the epoch. */
export interface Step {
  /** id of the event that set it off: hostId/bootId/run/lane/cpu/sequence */
  readonly event: string;
  /** `collect`, `enrich`, `detect`, `respond`, … : once per event and `key` */
  readonly name: string;
  /** tells several steps of one name apart: an alert, a command */
  readonly key?: string;
  readonly service: string;
  readonly start: number;
  readonly end: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

export interface StepTracer extends AsyncDisposable {
  record(step: Step): void;
  /** spans that could not be sent, since the start */
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
 * W3C trace id, 32 hex digits, of all that an event led to. It derives from the event's identity, so services that share nothing but the bus agree on it and
 * a redelivery tells the same again; nothing has to travel.
 */
export function traceIdOf(event: string): string {
  return hash('sha256', `trace\0${event}`).slice(0, 32);
}

/**
 * Sends steps as spans. A collector of traces that is away costs spans, never events: what could not be sent is dropped, and said. OpenTelemetry is loaded
 * only here: it costs a process 30 MB.
 */
export async function startTracing(options: TracingOptions): Promise<StepTracer> {
  const { traceBySpans } = await import('./spans.ts');
  return traceBySpans(options);
}
