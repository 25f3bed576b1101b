import type { Address } from './setting.ts';

export type ServiceName = 'collector' | 'enricher' | 'detector' | 'responder' | 'auditor';
export type TopicName =
  | 'raw'
  | 'logsRaw'
  | 'events'
  | 'alerts'
  | 'edges'
  | 'joins'
  | 'incidents'
  | 'commands'
  | 'results'
  | 'interest'
  | 'schemas'
  | 'enrolments'
  | 'auditHeads'
  | 'dlq';

/** Infinity: for ever, and without bound. */
export interface TopicRetention {
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

/**
 * The compiled settings, deep-frozen: durations in ms, sizes in bytes, paths absolute. What each means, its bounds and its default stand in
 * schema.ts and docs/CONFIGURATION.md.
 */
export interface Config {
  readonly stateDir: string;
  readonly runDir: string;
  readonly services: readonly ServiceName[];
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
    readonly format: 'auto' | 'lines' | 'json';
  };
  readonly sensor: {
    readonly ringSecurityBytes: number;
    readonly ringBulkBytes: number;
    readonly pollIntervalMs: number;
    readonly opens: 'interest' | 'all';
    readonly watchedPaths: readonly string[];
    readonly pinPath: string;
    readonly selfNoise: boolean;
    readonly keepPinned: boolean;
  };
  readonly collector: {
    readonly batchMaxBytes: number;
    readonly tickMs: number;
    readonly killsPerMinute: number;
    readonly hostRoot: string;
    readonly dockerRoots: readonly string[];
    readonly spool: { readonly path: string; readonly maxBytes: number };
  };
  readonly bus: {
    readonly driver: 'embedded';
    readonly embedded: { readonly path: string; readonly maxBytes: number; readonly synchronous: 'normal' | 'full' };
  };
  readonly topics: Readonly<Record<TopicName, TopicRetention>>;
  readonly enricher: { readonly maxProcesses: number; readonly writtenFiles: number };
  readonly detector: {
    /** absolute paths, or `builtin` */
    readonly rules: readonly string[];
    readonly maxChains: number;
    readonly chainIdleMs: number;
    readonly incidentThreshold: number;
  };
  readonly responder: {
    readonly mode: 'observe' | 'enforce';
    /** absolute paths, or `builtin` */
    readonly policies: readonly string[];
    readonly killsPerMinutePerHost: number;
    readonly maxCauseAgeMs: number;
    readonly commandTtlMs: number;
  };
  readonly auditor: {
    readonly path: string;
    readonly maxBytes: number;
    readonly synchronous: 'full' | 'normal';
    readonly eventRetentionMs: number;
  };
  /** `token` empty: none is asked for */
  readonly metrics: { readonly enabled: boolean; readonly listen: Address; readonly token: string };
}
