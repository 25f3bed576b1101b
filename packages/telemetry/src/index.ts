export { MetricLabelError, MetricsListenError } from './errors.ts';
export type { Checks, Health } from './health.ts';
export { createLogger, type LogOptions } from './log.ts';
export { type LabelSets, type Labels, Metrics } from './metrics.ts';
export { type ListenAddress, type MetricsServer, type ServeOptions, serveMetrics } from './serve-metrics.ts';
export { exposeStats, type Stats } from './stats.ts';
export { type Step, type StepTracer, startTracing, type TracingOptions } from './tracing.ts';
