import type { StepTracer, TracingOptions } from './spans.ts';

/**
 * Sends steps as spans. When the trace collector is unreachable, spans are dropped, counted and logged; events are not
 * affected. OpenTelemetry is loaded only here because it costs a process 30 MB.
 */
export async function startTracing(options: TracingOptions): Promise<StepTracer> {
  const { createSpanTracer } = await import('./spans.ts');
  return createSpanTracer(options);
}
