import { hash } from 'node:crypto';
import { ROOT_CONTEXT, type Span, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type IdGenerator,
  type ReadableSpan,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { LogThrottle, type Step } from '@ringfence/base';

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

const EXPORT_DEADLINE_MS = 5000;
const WARN_INTERVAL_MS = 60_000;

/** The root step of a trace. */
const ROOT_STEP = 'collect';

/** W3C Trace Context: 16 bytes, not all zero. */
const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/;

function spanIdOf(alert: string, name: string, key: string): string {
  return hash('sha256', `span\0${alert}\0${name}\0${key}`).slice(0, 16);
}

/** Assigns the next span the ids computed for its step. */
class StepIds implements IdGenerator {
  next: { traceId: string; spanId: string } = { traceId: '', spanId: '' };
  generateTraceId = (): string => this.next.traceId;
  generateSpanId = (): string => this.next.spanId;
}

/** See `startTracing`. */
export function createSpanTracer(options: TracingOptions): StepTracer {
  const ids = new StepIds();
  const exporter = new CountingExporter(options);
  const providers = new Map<string, TracerProvider>();
  const providerOf = (service: string): TracerProvider => {
    const provider = providers.get(service) ?? createProvider(options, service, ids, exporter);
    providers.set(service, provider);
    return provider;
  };
  return {
    record(step) {
      const { alert: traceId, name, key = '', service, start, end, attributes = {} } = step;
      if (!TRACE_ID.test(traceId)) {
        exporter.drop(1, new TypeError(`${JSON.stringify(traceId.slice(0, 64))} is not a trace id`));
        return;
      }
      ids.next = { traceId, spanId: spanIdOf(traceId, name, key) };
      // All steps are children of the root step, whose id every service can compute.
      const root = {
        traceId,
        spanId: spanIdOf(traceId, ROOT_STEP, ''),
        traceFlags: TraceFlags.SAMPLED,
        isRemote: true,
      };
      const context = name === ROOT_STEP ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, root);
      const span: Span = providerOf(service)
        .getTracer('ringfence', options.version)
        .startSpan(
          name,
          {
            kind: SpanKind.CONSUMER,
            startTime: time(start),
            attributes: { 'ringfence.alert.id': traceId, ...attributes },
          },
          context,
        );
      span.end(time(Math.max(start, end)));
    },
    get lost() {
      return exporter.lost;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...providers.values()].map((provider) => provider.shutdown()));
    },
  };
}

/** [seconds, nanoseconds] */
const time = (micros: number): [number, number] => [Math.floor(micros / 1e6), Math.round((micros % 1e6) * 1000)];

/** Counts the spans that could not be sent, and logs a warning at most once a minute. */
class CountingExporter implements SpanExporter {
  lost = 0;
  readonly #inner: OTLPTraceExporter;
  readonly #log: TracingOptions['log'];
  readonly #warnings = new LogThrottle(WARN_INTERVAL_MS);

  constructor({ endpoint, log }: TracingOptions) {
    this.#inner = new OTLPTraceExporter({ url: endpoint, timeoutMillis: EXPORT_DEADLINE_MS });
    this.#log = log;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.#inner.export(spans, (result) => {
      if (result.error !== undefined) this.drop(spans.length, result.error);
      done({ code: 0 });
    });
  }

  drop(spans: number, err: Error): void {
    this.lost += spans;
    if (this.#warnings.shouldLog('lost') === null) return;
    this.#log?.warn({ err, lost: this.lost }, 'spans were lost: they could not be sent');
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }
}

function createProvider(
  { version, instance }: TracingOptions,
  service: string,
  idGenerator: IdGenerator,
  exporter: SpanExporter,
): TracerProvider {
  return new TracerProvider({
    idGenerator,
    resource: resourceFromAttributes({
      'service.namespace': 'ringfence',
      'service.name': `ringfence-${service}`,
      'service.version': version,
      'service.instance.id': instance,
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: 4096,
        scheduledDelayMillis: 1000,
        exportTimeoutMillis: EXPORT_DEADLINE_MS,
      }),
    ],
  });
}
