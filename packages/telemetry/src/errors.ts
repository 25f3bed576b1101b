export interface ListenAddress {
  readonly host: string;
  /** 0 selects a free port */
  readonly port: number;
}

export type TelemetryErrorCode =
  /** A metric got a label value outside of its closed set. Report it as a bug. */
  | 'ERR_METRIC_LABEL'
  /** The metrics endpoint can't be opened. Set `metrics.listen` to a free address, or `metrics.enabled` to false. */
  | 'ERR_METRICS_LISTEN';

/** A label value outside its closed set: arbitrary values would let a metric grow without bound. */
export class MetricLabelError extends Error {
  override readonly name = 'MetricLabelError';
  readonly code: TelemetryErrorCode = 'ERR_METRIC_LABEL';
  readonly metric: string;
  readonly label: string;
  readonly value: string;

  constructor(metric: string, label: string, value: string) {
    super(`metric ${metric} has no value "${value}" for its label "${label}"; add it where the metric is defined`);
    this.metric = metric;
    this.label = label;
    this.value = value;
  }
}

/** The metrics endpoint cannot be opened. */
export class MetricsListenError extends Error {
  override readonly name = 'MetricsListenError';
  readonly code: TelemetryErrorCode = 'ERR_METRICS_LISTEN';
  readonly address: ListenAddress;

  constructor(address: ListenAddress, options: { readonly cause: unknown }) {
    const reason = options.cause instanceof Error && 'code' in options.cause ? String(options.cause.code) : 'unknown';
    const hint = reason === 'EADDRINUSE' ? 'the address is in use' : reason;
    super(
      `cannot serve metrics on ${address.host}:${address.port}: ${hint}. Set metrics.listen, or metrics.enabled to false`,
      options,
    );
    this.address = address;
  }
}
