import { CLUSTER_DEFAULTS, type ClusterOptions } from './elasticsearch/options.ts';

/** Settings of the auditor. */
export interface AuditorOptions {
  /** Where the evidence goes. @default 'sqlite' */
  readonly sink?: 'sqlite' | 'elasticsearch' | 'opensearch';
  /** The cluster, when it goes to one. */
  readonly elasticsearch?: Partial<Omit<ClusterOptions, 'flavour' | 'eventRetentionMs'>>;
  /** Heads of the chains are noted on the bus after so many records. @default 100,000 */
  readonly headRecords?: number;
  /** Or after so long, ms, whichever comes first; and at the end. @default 5 min */
  readonly headIntervalMs?: number;
  /** The SQLite file; made with its directory when missing. */
  readonly path: string;
  /** Bound of file and write-ahead log together, bytes, at least 16 MiB. Beyond it the oldest events go first. @default 8 GiB */
  readonly maxBytes?: number;
  /** How long events that belong to no alert are kept, ms of event time. @default 7 days */
  readonly eventRetentionMs?: number;
  /**
   * When the disk is told to flush. 'full': at each commit, so that evidence survives a power cut; 'normal': at checkpoints, which kill -9 survives
   * too. @default 'full'
   */
  readonly synchronous?: 'full' | 'normal';
  /**
   * How long batches of events wait for company before they are written, ms: a transaction costs more than a small batch. Alerts, incidents, commands and
   * results wait 20 ms. @default 200; into a cluster 1000
   */
  readonly eventLingerMs?: number;
  /**
   * Records in a batch, at most. One costs a cluster half a dozen requests one after the other, however small its records: after an outage they must not be
   * many. @default 1024
   */
  readonly batchRecords?: number;
}

export interface CompiledAuditorOptions extends SqliteOptions {
  /** null: SQLite */
  readonly cluster: ClusterOptions | null;
  readonly eventLingerMs: number;
  readonly batchRecords: number;
  readonly headRecords: number;
  readonly headIntervalMs: number;
}

export interface SqliteOptions {
  readonly path: string;
  readonly maxBytes: number;
  readonly eventRetentionMs: number;
  readonly synchronous: 'full' | 'normal';
}

export const MIN_BYTES: number = 16 * 2 ** 20;

export function compileAuditorOptions(options: AuditorOptions): CompiledAuditorOptions {
  const maxBytes = options.maxBytes ?? 8 * 2 ** 30;
  const eventRetentionMs = options.eventRetentionMs ?? 7 * 24 * 3_600_000;
  if (options.path === '') throw new RangeError('auditor.path is empty: name a file');
  if (!(maxBytes >= MIN_BYTES))
    throw new RangeError(`auditor.maxBytes is ${maxBytes}: the audit trail needs at least ${MIN_BYTES} bytes`);
  if (!(eventRetentionMs > 0))
    throw new RangeError(`auditor.eventRetentionMs is ${eventRetentionMs}: it must be above 0`);
  const { path, synchronous = 'full', sink = 'sqlite' } = options;
  // A bulk request costs a cluster more than its documents; it shows them after seconds anyway.
  const { eventLingerMs = sink === 'sqlite' ? 200 : 1000 } = options;
  if (!(eventLingerMs >= 0)) throw new RangeError(`auditor.eventLingerMs is ${eventLingerMs}: it must be 0 or more`);
  const { batchRecords = 1024 } = options;
  if (!(batchRecords >= 1)) throw new RangeError(`auditor.batchRecords is ${batchRecords}: it must be 1 or more`);
  const { headRecords = 100_000, headIntervalMs = 300_000 } = options;
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
    cluster,
  };
}

/** null: the evidence goes to SQLite. Throws RangeError. */
export function clusterOf({ sink = 'sqlite', elasticsearch, eventRetentionMs }: AuditorOptions): ClusterOptions | null {
  if (sink === 'sqlite') return null;
  const retention = eventRetentionMs === undefined ? {} : { eventRetentionMs };
  const cluster = { ...CLUSTER_DEFAULTS, ...elasticsearch, ...retention, flavour: sink };
  const { prefix, namespace, eventSample } = cluster;
  if (!/^[a-z0-9][a-z0-9_]{0,63}$/.test(prefix))
    throw new RangeError(`auditor.elasticsearch.prefix is ${prefix}: lower-case letters, digits and _ make a name`);
  if (!/^[a-z0-9][a-z0-9_]{0,63}$/.test(namespace))
    throw new RangeError(
      `auditor.elasticsearch.namespace is ${namespace}: lower-case letters, digits and _ make a name`,
    );
  if (!(eventSample >= 0 && eventSample <= 1))
    throw new RangeError(`auditor.elasticsearch.eventSample is ${eventSample}: a share is between 0 and 1`);
  return cluster;
}
