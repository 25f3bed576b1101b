import { defined } from '@ringfence/base';
import { parseSyslogAddress } from '@ringfence/syslog';
import { CLUSTER_DEFAULTS, type ClusterOptions } from './elasticsearch/options.ts';

/** Settings of the auditor. */
export interface AuditorOptions {
  /** Store of the audit trail. @default 'sqlite' */
  readonly sink?: 'sqlite' | 'elasticsearch' | 'opensearch';
  /** Settings of the cluster, unless the sink is SQLite. */
  readonly elasticsearch?: Partial<Omit<ClusterOptions, 'flavour' | 'eventRetentionMs'>>;
  /** Number of records after which the heads of the chains are published on the bus. @default 100,000 */
  readonly headRecords?: number;
  /** Maximum time between two publications of the heads, ms; they are also published at shutdown. @default 5 min */
  readonly headIntervalMs?: number;
  /** Syslog server that gets each published head, `udp://host:port` or `tcp://host:port`; empty: none. @default '' */
  readonly headSyslog?: string;
  /** The SQLite file; created with its directory when missing. */
  readonly path: string;
  /**
   * Maximum size of the file and its write-ahead log together, bytes, at least 16 MiB. Beyond it the oldest events are
   * dropped first. @default 8 GiB
   */
  readonly maxBytes?: number;
  /** Most bytes that legal holds keep beyond retention; at most half of `maxBytes`. @default a quarter of it */
  readonly holdMaxBytes?: number;
  /** Retention of event batches, ms of event time. @default 7 days */
  readonly eventRetentionMs?: number;
  /**
   * When SQLite syncs to disk. 'full': at each commit, so that evidence survives a power loss; 'normal': at
   * checkpoints. Both survive kill -9. @default 'full'
   */
  readonly synchronous?: 'full' | 'normal';
  /**
   * How long event batches wait for more before they are written, ms: a transaction costs more than a small batch.
   * Alerts, incidents, commands and results wait 20 ms. @default 200, or 1000 for a cluster
   */
  readonly eventLingerMs?: number;
  /**
   * Maximum number of records per batch. A batch costs a cluster half a dozen sequential requests, however small its
   * records are, so small batches would be slow after an outage. @default 1024
   */
  readonly batchRecords?: number;
}

export interface CompiledAuditorOptions extends SqliteOptions {
  /** null for SQLite */
  readonly cluster: ClusterOptions | null;
  readonly eventLingerMs: number;
  readonly batchRecords: number;
  readonly headRecords: number;
  readonly headIntervalMs: number;
  readonly headSyslog: string;
}

export interface SqliteOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** @default a quarter of `maxBytes` */
  readonly holdMaxBytes?: number;
  readonly eventRetentionMs: number;
  readonly synchronous: 'full' | 'normal';
}

export const MIN_BYTES: number = 16 * 2 ** 20;

export function compileAuditorOptions(options: AuditorOptions): CompiledAuditorOptions {
  const maxBytes = options.maxBytes ?? 8 * 2 ** 30;
  const eventRetentionMs = options.eventRetentionMs ?? 7 * 24 * 3_600_000;
  if (options.path === '') throw new RangeError('auditor.path is empty: set it to a file');
  if (!(maxBytes >= MIN_BYTES))
    throw new RangeError(`auditor.maxBytes is ${maxBytes}: it must be at least ${MIN_BYTES}`);
  if (!(eventRetentionMs > 0))
    throw new RangeError(`auditor.eventRetentionMs is ${eventRetentionMs}: it must be above 0`);
  const { path, synchronous = 'full', sink = 'sqlite' } = options;
  // A bulk request costs more than its documents, and a cluster makes them searchable after seconds anyway.
  const { eventLingerMs = sink === 'sqlite' ? 200 : 1000 } = options;
  if (!(eventLingerMs >= 0)) throw new RangeError(`auditor.eventLingerMs is ${eventLingerMs}: it must be 0 or more`);
  const { batchRecords = 1024 } = options;
  if (!(batchRecords >= 1)) throw new RangeError(`auditor.batchRecords is ${batchRecords}: it must be 1 or more`);
  const { headRecords = 100_000, headIntervalMs = 300_000, headSyslog = '' } = options;
  if (headSyslog !== '' && parseSyslogAddress(headSyslog) === null)
    throw new RangeError(`auditor.headSyslog is ${headSyslog}: it must be udp://host:port or tcp://host:port`);
  const cluster = clusterOf(options);
  return {
    path,
    maxBytes,
    eventRetentionMs,
    synchronous,
    eventLingerMs,
    batchRecords,
    headRecords,
    headIntervalMs,
    headSyslog,
    cluster,
    ...defined({ holdMaxBytes: options.holdMaxBytes }),
  };
}

/** Returns null when the sink is SQLite. Throws RangeError. */
export function clusterOf({ sink = 'sqlite', elasticsearch, eventRetentionMs }: AuditorOptions): ClusterOptions | null {
  if (sink === 'sqlite') return null;
  const retention = eventRetentionMs === undefined ? {} : { eventRetentionMs };
  const cluster = { ...CLUSTER_DEFAULTS, ...elasticsearch, ...retention, flavour: sink };
  const { prefix, namespace, eventSample } = cluster;
  if (!/^[a-z0-9][a-z0-9_]{0,63}$/.test(prefix))
    throw new RangeError(`auditor.elasticsearch.prefix is ${prefix}: use lower-case letters, digits and _`);
  if (!/^[a-z0-9][a-z0-9_]{0,63}$/.test(namespace))
    throw new RangeError(`auditor.elasticsearch.namespace is ${namespace}: use lower-case letters, digits and _`);
  if (!(eventSample >= 0 && eventSample <= 1))
    throw new RangeError(`auditor.elasticsearch.eventSample is ${eventSample}: it must be between 0 and 1`);
  return cluster;
}
