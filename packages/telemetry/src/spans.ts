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
import { Seldom } from '@ringfence/base';
import type { StepTracer, TracingOptions } from './tracing.ts';

const EXPORT_DEADLINE_MS = 5000;
const SAY_AGAIN_MS = 60_000;

/** The step that the others hang on. */
const FIRST = 'collect';

/** W3C: not all zeros. */
const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/;

function spanIdOf(alert: string, name: string, key: string): string {
  return hash('sha256', `span\0${alert}\0${name}\0${key}`).slice(0, 16);
}

/** Gives the next span the id that its step has. */
class StepIds implements IdGenerator {
  next: { traceId: string; spanId: string } = { traceId: '', spanId: '' };
  generateTraceId = (): string => this.next.traceId;
  generateSpanId = (): string => this.next.spanId;
}

/** As `startTracing`. */
export function traceBySpans(options: TracingOptions): StepTracer {
  const ids = new StepIds();
  const exporter = new CountingExporter(options);
  const providers = new Map<string, TracerProvider>();
  const providerOf = (service: string): TracerProvider => {
    const known = providers.get(service) ?? createProvider(options, service, ids, exporter);
    providers.set(service, known);
    return known;
  };
  return {
    record(step) {
      const { alert: traceId, name, key = '', service, start, end, attributes = {} } = step;
      if (!TRACE_ID.test(traceId)) {
        exporter.lose(1, new TypeError(`${JSON.stringify(traceId.slice(0, 64))} is no id of a trace`));
        return;
      }
      ids.next = { traceId, spanId: spanIdOf(traceId, name, key) };
      // All steps hang on the first one, whose id everybody can compute.
      const root = { traceId, spanId: spanIdOf(traceId, FIRST, ''), traceFlags: TraceFlags.SAMPLED, isRemote: true };
      const context = name === FIRST ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, root);
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

/** Counts what could not be sent, and says so now and then. */
class CountingExporter implements SpanExporter {
  lost = 0;
  readonly #inner: OTLPTraceExporter;
  readonly #log: TracingOptions['log'];
  readonly #warnings = new Seldom(SAY_AGAIN_MS);

  constructor({ endpoint, log }: TracingOptions) {
    this.#inner = new OTLPTraceExporter({ url: endpoint, timeoutMillis: EXPORT_DEADLINE_MS });
    this.#log = log;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.#inner.export(spans, (result) => {
      if (result.error !== undefined) this.lose(spans.length, result.error);
      done({ code: 0 });
    });
  }

  lose(spans: number, err: Error): void {
    this.lost += spans;
    if (this.#warnings.tell('lost') === null) return;
    this.#log?.warn({ err, lost: this.lost }, 'spans could not be sent and are lost');
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
