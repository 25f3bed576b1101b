import type { KeyObject } from 'node:crypto';
import type { Log } from '@ringfence/base';
import { BusUsageError } from '@ringfence/bus';

export type Compression = 'none' | 'gzip' | 'lz4' | 'zstd' | 'snappy';
export type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'oauthbearer';

/** Paths of PEM files. Changed files are read again for the next connection. */
export interface KafkaTls {
  /** Authorities of the brokers' certificates. @default those of the system */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Expected name in the brokers' certificates. @default the host of the connection */
  readonly serverName?: string;
}

export interface KafkaSasl {
  readonly mechanism: SaslMechanism;
  readonly username?: string;
  readonly password?: string;
  /** For oauthbearer: a file that is read for each connection, or a function that returns the token. */
  readonly token?: string | (() => string | Promise<string>);
}

export interface KafkaBusOptions {
  /** host:port of the brokers to connect to first. */
  readonly brokers: readonly string[];
  /** @default 'platformatic' */
  readonly client?: 'platformatic' | 'kafkajs';
  /** @default 'ringfence' */
  readonly clientId?: string;
  /** Prefix of the names of all topics and groups. @default '' */
  readonly topicPrefix?: string;
  /** @default none: plaintext */
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
  /** @default 'zstd' */
  readonly compression?: Compression;
  /** Replicas of new topics. 0: three, or the number of brokers if that is less. @default 0 */
  readonly replicationFactor?: number;
  /** `min.insync.replicas` of new topics. 0: one less than the replication factor, at least one. @default 0 */
  readonly minInsyncReplicas?: number;
  /** A member without heartbeats for this long is removed from the group, ms. @default 10_000 */
  readonly sessionTimeoutMs?: number;
  /** How long a member may take to finish its batch when a rebalance begins, ms. @default 60_000 */
  readonly rebalanceTimeoutMs?: number;
  /** Deadline of one request, ms. @default 10_000 */
  readonly requestDeadlineMs?: number;
  /** How long `produce` retries before it rejects with BusUnavailableError, ms. @default 30_000 */
  readonly produceDeadlineMs?: number;
  /** Returns the key (32 bytes) that seals the state of a group, or null for unsealed state. @default null for all */
  readonly stateKey?: (group: string) => KeyObject | null;
  /** @default none */
  readonly log?: Log;
}

export interface CompiledKafkaOptions {
  readonly brokers: readonly { readonly host: string; readonly port: number }[];
  readonly client: 'platformatic' | 'kafkajs';
  readonly clientId: string;
  readonly topicPrefix: string;
  readonly tls: KafkaTls | null;
  readonly sasl: KafkaSasl | null;
  readonly compression: Compression;
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly requestDeadlineMs: number;
  readonly produceDeadlineMs: number;
  readonly stateKey: (group: string) => KeyObject | null;
  readonly log: Log | null;
}

const BROKER = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/;
const PREFIX = /^[A-Za-z0-9._-]{0,100}$/;

function parseBroker(text: string): { readonly host: string; readonly port: number } {
  const match = BROKER.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw new BusUsageError(`broker "${text}": expected host:port`);
  return { host, port: Number(match![3]) };
}

export function compileKafkaOptions(options: KafkaBusOptions): CompiledKafkaOptions {
  if (options.brokers.length === 0) throw new BusUsageError('brokers is empty: name at least one host:port');
  const topicPrefix = options.topicPrefix ?? '';
  if (!PREFIX.test(topicPrefix))
    throw new BusUsageError(
      `topicPrefix "${topicPrefix}": expected up to 100 letters, digits, dots, dashes, underscores`,
    );
  return {
    brokers: options.brokers.map(parseBroker),
    client: options.client ?? 'platformatic',
    clientId: options.clientId ?? 'ringfence',
    topicPrefix,
    tls: options.tls ?? null,
    sasl: options.sasl ?? null,
    compression: options.compression ?? 'zstd',
    replicationFactor: options.replicationFactor ?? 0,
    minInsyncReplicas: options.minInsyncReplicas ?? 0,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 60_000,
    requestDeadlineMs: options.requestDeadlineMs ?? 10_000,
    produceDeadlineMs: options.produceDeadlineMs ?? 30_000,
    stateKey: options.stateKey ?? (() => null),
    log: options.log ?? null,
  };
}
