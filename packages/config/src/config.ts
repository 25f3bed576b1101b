import type { Address } from './setting.ts';

export type ServiceName = 'collector' | 'enricher' | 'detector' | 'responder' | 'auditor' | 'forwarder' | 'registrar';
export type TopicName =
  | 'raw'
  | 'logsRaw'
  | 'events'
  | 'alerts'
  | 'edges'
  | 'joins'
  | 'feedback'
  | 'incidents'
  | 'commands'
  | 'results'
  | 'answers'
  | 'runs'
  | 'rarity'
  | 'interest'
  | 'schemas'
  | 'enrolments'
  | 'auditHeads'
  | 'operator'
  | 'dlq';

/** Retention limits. Infinity means no limit. */
export interface TopicRetention {
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

/** Empty text means not set. 0 replicas means that the number of brokers decides. */
export interface KafkaSettings {
  /** host:port */
  readonly brokers: readonly string[];
  readonly client: 'platformatic' | 'kafkajs';
  readonly clientId: string;
  readonly topicPrefix: string;
  readonly tls: {
    readonly enabled: boolean;
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    readonly serverName: string;
  };
  readonly sasl: {
    readonly mechanism: 'none' | 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'oauthbearer';
    readonly username: string;
    readonly password: string;
    readonly tokenFile: string;
  };
  readonly compression: 'zstd' | 'lz4' | 'gzip' | 'none';
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly requestDeadlineMs: number;
  readonly produceDeadlineMs: number;
}

/**
 * The compiled settings, deep-frozen, with durations in ms, sizes in bytes and absolute paths. schema.ts and
 * docs/CONFIGURATION.md describe each setting with its bounds and its default.
 */
export interface Config {
  readonly stateDir: string;
  readonly runDir: string;
  readonly services: readonly ServiceName[];
  /** empty: no switch to another user */
  readonly user: string;
  /** `auto`: derived from hostname and pid */
  readonly instance: string;
  readonly shutdownDeadlineMs: number;
  /** With an empty `rootKey`, any root key is accepted. */
  readonly identity: { readonly path: string; readonly registrar: string; readonly rootKey: string };
  readonly registrar: {
    readonly path: string;
    readonly listen: Address;
    readonly names: readonly string[];
    readonly certificateDays: number;
  };
  readonly control: {
    readonly listen: Address;
    readonly endpoints: readonly string[];
    readonly standingMaxAgeMs: number;
  };
  /** empty `url`: a file in `stateDir` instead */
  readonly redis: {
    readonly url: string;
    readonly user: string;
    readonly password: string;
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    readonly prefix: string;
    readonly timeoutMs: number;
  };
  /** empty `endpoint`: no traces */
  readonly tracing: { readonly endpoint: string };
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
    readonly format: 'auto' | 'lines' | 'json';
  };
  readonly sensor: {
    /** empty: `user` with `-sensor` added */
    readonly user: string;
    /** empty: `stateDir` with `-sensor` added; see sensorStateDirOf */
    readonly stateDir: string;
    readonly ringSecurityBytes: number;
    readonly ringBulkBytes: number;
    readonly nice: number;
    readonly pollIntervalMs: number;
    readonly opens: 'interest' | 'all';
    readonly watchedPaths: readonly string[];
    readonly audit: readonly string[];
    readonly environment: readonly string[];
    readonly pinPath: string;
    readonly selfNoise: boolean;
    /** 0 `perSecond`, 0 `bytesPerSecond`: no limit */
    readonly share: { readonly perSecond: number; readonly burst: number; readonly bytesPerSecond: number };
    readonly keepPinned: boolean;
  };
  readonly collector: {
    readonly batchMaxBytes: number;
    readonly tickMs: number;
    readonly killsPerMinute: number;
    readonly hostRoot: string;
    readonly protected: readonly string[];
    readonly actions: readonly string[];
    readonly tampering: { readonly syslog: string };
    readonly dockerRoots: readonly string[];
    readonly integrity: { readonly everyMs: number; readonly knownPrograms: readonly string[] };
    readonly hash: { readonly enabled: boolean; readonly maxBytes: number; readonly bytesPerSecond: number };
    readonly logs: {
      readonly files: readonly string[];
      readonly journald: 'auto' | 'on' | 'off';
      readonly linesPerSecond: number;
    };
    readonly alerts: {
      readonly enabled: boolean;
      readonly listen: Address;
      readonly token: string;
      readonly tokenFile: string;
    };
    readonly probes: {
      readonly pam: boolean;
      readonly shell: boolean;
      readonly tls: boolean;
      readonly files: readonly string[];
      readonly custom: readonly string[];
    };
    readonly spool: { readonly path: string; readonly maxBytes: number };
  };
  readonly bus: {
    readonly driver: 'embedded' | 'kafka';
    readonly embedded: { readonly path: string; readonly maxBytes: number; readonly synchronous: 'normal' | 'full' };
    readonly kafka: KafkaSettings;
  };
  /** empty `url`: no registry */
  readonly schemaRegistry: {
    readonly url: string;
    readonly user: string;
    readonly password: string;
    readonly ca: string;
    readonly timeoutMs: number;
  };
  /** principals of the brokers; empty: no access */
  readonly access: Readonly<
    Record<'agent' | 'enricher' | 'detector' | 'responder' | 'auditor' | 'forwarder' | 'registrar', string>
  >;
  readonly topics: Readonly<Record<TopicName, TopicRetention>>;
  readonly enricher: { readonly maxProcesses: number; readonly writtenFiles: number; readonly silentAfterMs: number };
  readonly detector: {
    /** absolute paths, or `builtin` */
    readonly rules: readonly string[];
    readonly profile: 'recommended' | 'hunt';
    readonly maxChains: number;
    readonly chainIdleMs: number;
    readonly incidentThreshold: number;
    readonly localPeers: boolean;
  };
  readonly responder: {
    readonly mode: 'observe' | 'enforce';
    /** absolute paths, or `builtin` */
    readonly policies: readonly string[];
    /** absolute paths, or `builtin` */
    readonly playbooks: readonly string[];
    readonly killsPerMinutePerHost: number;
    readonly killsPerMinute: number;
    readonly maxCauseAgeMs: number;
    readonly commandTtlMs: number;
  };
  readonly auditor: {
    readonly sink: 'sqlite' | 'elasticsearch' | 'opensearch';
    readonly elasticsearch: {
      readonly nodes: readonly string[];
      readonly user: string;
      readonly password: string;
      readonly apiKey: string;
      readonly ca: string;
      readonly prefix: string;
      readonly namespace: string;
      /** 0 to 1 */
      readonly eventSample: number;
      readonly analyzer: boolean;
      readonly requestTimeoutMs: number;
      readonly bulkBytes: number;
      readonly bulkConcurrency: number;
    };
    readonly headIntervalMs: number;
    readonly headRecords: number;
    readonly headSyslog: string;
    readonly path: string;
    readonly maxBytes: number;
    readonly holdMaxBytes: number;
    readonly synchronous: 'full' | 'normal';
    readonly eventRetentionMs: number;
  };
  /** absolute paths of files and directories */
  readonly forwarder: { readonly sinks: readonly string[] };
  /** empty `token`: scrapers need no token */
  readonly metrics: { readonly enabled: boolean; readonly listen: Address; readonly token: string };
}
