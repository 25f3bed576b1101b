/** Settings of the cluster that stores the audit trail. */
export interface ClusterOptions {
  readonly flavour: 'elasticsearch' | 'opensearch';
  /** URLs of nodes, such as `https://host:9200`; any of them serves all requests */
  readonly nodes: readonly string[];
  /** Either user and password or `apiKey`; empty when not used */
  readonly user: string;
  readonly password: string;
  readonly apiKey: string;
  /** PEM file of the authority that issued the cluster's certificate; empty for the system's authorities */
  readonly ca: string;
  /** Prefix of the streams (`logs-PREFIX.alerts-NAMESPACE`, …) and indices (`PREFIX-incidents`, …) */
  readonly prefix: string;
  readonly namespace: string;
  /** Share of the processes whose events are stored, 0 to 1; executions and gaps are always stored */
  readonly eventSample: number;
  /** Documents pass for those of Elastic's own agent, which alone Elastic Security's Analyzer draws */
  readonly analyzer: boolean;
  /** Deadline of a request, ms */
  readonly requestTimeoutMs: number;
  /** Maximum size of a bulk request */
  readonly bulkBytes: number;
  /** Maximum number of concurrent bulk requests */
  readonly bulkConcurrency: number;
  /** Retention of events, ms; Infinity keeps them forever. Only on clusters with data stream lifecycles */
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
  analyzer: false,
  requestTimeoutMs: 30_000,
  bulkBytes: 4 * 2 ** 20,
  bulkConcurrency: 2,
  eventRetentionMs: 7 * 24 * 3_600_000,
};

/** Names of the auditor's data streams and indices. */
export interface IndexNames {
  readonly alerts: string;
  readonly actions: string;
  readonly audit: string;
  readonly events: string;
  readonly incidents: string;
  readonly heads: string;
}

export function namesOf({ prefix, namespace }: Pick<ClusterOptions, 'prefix' | 'namespace'>): IndexNames {
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
