/** Where the evidence of a fleet goes. */
export interface ClusterOptions {
  readonly flavour: 'elasticsearch' | 'opensearch';
  /** `https://host:9200`, any of which answers for all */
  readonly nodes: readonly string[];
  /** either this pair or `apiKey`; empty: none */
  readonly user: string;
  readonly password: string;
  readonly apiKey: string;
  /** PEM file of the authority that signed the cluster's certificate; empty: those of the system */
  readonly ca: string;
  /** streams are `logs-PREFIX.alerts-NAMESPACE` and so on, indices `PREFIX-incidents`, `PREFIX-audit-heads` */
  readonly prefix: string;
  readonly namespace: string;
  /** share of the processes whose events are stored, 0 to 1; executions and gaps always are */
  readonly eventSample: number;
  /** of one request, ms */
  readonly requestTimeoutMs: number;
  /** of one bulk request */
  readonly bulkBytes: number;
  /** bulk requests under way at once */
  readonly bulkConcurrency: number;
  /** how long events stay, ms; Infinity: for ever. Where the cluster has a data stream lifecycle */
  readonly eventRetentionMs: number;
}

export const CLUSTER_DEFAULTS: ClusterOptions = {
  flavour: 'elasticsearch',
  nodes: ['http://127.0.0.1:9200'],
  user: '',
  password: '',
  apiKey: '',
  ca: '',
  prefix: 'ringfence',
  namespace: 'default',
  eventSample: 0.01,
  requestTimeoutMs: 30_000,
  bulkBytes: 4 * 2 ** 20,
  bulkConcurrency: 2,
  eventRetentionMs: 7 * 24 * 3_600_000,
};

/** The names of everything of ours in the cluster. */
export interface Names {
  readonly alerts: string;
  readonly actions: string;
  readonly audit: string;
  readonly events: string;
  readonly incidents: string;
  readonly heads: string;
}

export function namesOf({ prefix, namespace }: Pick<ClusterOptions, 'prefix' | 'namespace'>): Names {
  const stream = (dataset: string): string => `logs-${prefix}.${dataset}-${namespace}`;
  return {
    alerts: stream('alerts'),
    actions: stream('actions'),
    audit: stream('audit'),
    events: stream('events'),
    incidents: `${prefix}-incidents`,
    heads: `${prefix}-audit-heads`,
  };
}
