export { type ListenAddress, MetricLabelError, MetricsListenError } from './errors.ts';
export type { Checks, Health } from './health.ts';
export { type AppLog, createLogger, type LogOptions } from './log.ts';
export { type LabelSets, type Labels, Metrics } from './metrics.ts';
export { type MetricsServer, type ServeOptions, serveMetrics } from './serve-metrics.ts';
export type { StepTracer, TracingOptions } from './spans.ts';
export { exposeStats, type Stats } from './stats.ts';
export { startTracing } from './tracing.ts';
