import type { HashLimits } from '@ringfence/host-facts';
import { EVERY_VARIABLE, FILTERED_KINDS, wantOf } from '@ringfence/interest';
import type { LogOptions } from '@ringfence/log-reader';
import type { ProbeOptions } from '@ringfence/sensor';
import { parseSyslogAddress } from '@ringfence/syslog';
import { CollectorError } from './errors.ts';

export interface CollectorOptions {
  /** Path of the compiled sensor */
  readonly sensorObject: string;
  /** Directory of the list of executed commands, the spool and the agent's lock; created when missing */
  readonly stateDir: string;
  /** Directory under a bpf file system where maps and links are pinned. @default /sys/fs/bpf/ringfence */
  readonly pinPath?: string;
  /** Bytes, a power of two. A larger ring bridges a longer stall. @default 8 MiB */
  readonly ringSecurityBytes?: number;
  /** Bytes, a power of two. @default 16 MiB */
  readonly ringBulkBytes?: number;
  /**
   * Time between two reads of the rings while events come, ms. A longer interval makes batches larger and alerts later.
   * @default 4
   */
  readonly pollIntervalMs?: number;
  /** Time between two ticks, ms; every timer downstream runs on them. @default 1000 */
  readonly tickMs?: number;
  /** Bytes of events in one RawBatch. @default 512 KiB */
  readonly batchMaxBytes?: number;
  /** 'all' sends every open, 'interest' those that loaded content can match. @default interest */
  readonly opens?: 'interest' | 'all';
  /** Path prefixes whose opens are always sent. @default none */
  readonly watchedPaths?: readonly string[];
  /** Kinds of events, or `kind.form`, that are always sent; `all` means every kind. @default none */
  readonly audit?: readonly string[];
  /** Environment variables that content may ask for; `*` means any. @default any */
  readonly environment?: readonly string[];
  /** Directory of the spool. @default <stateDir>/spool */
  readonly spoolPath?: string;
  /** Maximum size of the spool; when it is full, the oldest bulk batches are dropped first. @default 512 MiB */
  readonly spoolMaxBytes?: number;
  /**
   * Directories of files that announce which cgroup is which container.
   * @default <stateDir>/containers.d and /run/ringfence/containers.d
   */
  readonly containerFiles?: readonly string[];
  /** Maximum number of kills in any 60 s, by all responders together; further commands are refused. @default 60 */
  readonly killsPerMinute?: number;
  /** Root of the host's file system; it differs from / only in a container. @default / */
  readonly hostRoot?: string;
  /** Executables that are never killed: paths on the host, with `*` for one part of a path. @default none */
  readonly protected?: readonly string[];
  /** Names of the actions that commands may ask for. @default kill and suspend */
  readonly actions?: readonly string[];
  /** Server to which tampering is also reported: `udp://host:port` or `tcp://host:port`. @default none */
  readonly tamperingSyslog?: string;
  /** Data roots of Docker engines that are not found automatically, as paths on the host. @default none */
  readonly dockerRoots?: readonly string[];
  /** Logs to read, as paths on the host. @default none */
  readonly logs?: LogOptions;
  /** Interval of the checks of kernel and host, and the BPF programs known there. @default never */
  readonly integrity?: { readonly everyMs: number; readonly knownPrograms: readonly string[] };
  /** Whether executables are hashed, up to which size and how fast. @default yes, 64 MiB, 32 MiB/s */
  readonly hash?: HashLimits & { readonly enabled: boolean };
  /** Probes in user space. @default none */
  readonly probes?: ProbeOptions;
  /**
   * Events a second that a cgroup may send while a ring is more than half full; 0 means any number.
   * @default 20,000
   */
  readonly sharePerSecond?: number;
  /** Events that a cgroup may send at once beyond that. @default 5,000 */
  readonly shareBurst?: number;
  /**
   * Bytes a second that a cgroup may write to the security ring while it is more than half full, and eight times as
   * many to the bulk ring; 0 means any number. @default 512 KiB
   */
  readonly shareBytesPerSecond?: number;
  /**
   * Leaves the sensor and its pins in the kernel after a clean close, so that the next start reads the events in
   * between. @default false
   */
  readonly keepPinned?: boolean;
}

export type CompiledOptions = Required<CollectorOptions>;

const MiB = 1 << 20;

/** Fills in the defaults. Throws CollectorError (ERR_COLLECTOR_OPTIONS) that names an invalid option. */
export function compileOptions(options: CollectorOptions): CompiledOptions {
  const { stateDir } = options;
  const compiled: CompiledOptions = {
    pinPath: '/sys/fs/bpf/ringfence',
    ringSecurityBytes: 8 * MiB,
    ringBulkBytes: 16 * MiB,
    pollIntervalMs: 4,
    tickMs: 1000,
    batchMaxBytes: 512 * 1024,
    opens: 'interest',
    watchedPaths: [],
    audit: [],
    environment: [EVERY_VARIABLE],
    spoolPath: `${stateDir}/spool`,
    spoolMaxBytes: 512 * MiB,
    containerFiles: [`${stateDir}/containers.d`, '/run/ringfence/containers.d'],
    killsPerMinute: 60,
    hostRoot: '/',
    protected: [],
    actions: ['kill', 'suspend'],
    tamperingSyslog: '',
    dockerRoots: [],
    logs: { files: [], journald: 'off', linesPerSecond: 1000 },
    integrity: { everyMs: 0, knownPrograms: [] },
    hash: { enabled: true, maxBytes: 64 * MiB, bytesPerSecond: 32 * MiB },
    probes: { pam: false, shell: false, tls: false, files: [] },
    sharePerSecond: 20_000,
    shareBurst: 5000,
    shareBytesPerSecond: 512 * 1024,
    keepPinned: false,
    ...options,
  };
  checkRanges(compiled);
  checkHashesAndLogs(compiled);
  checkAudit(compiled);
  checkSyslog(compiled);
  return Object.freeze(compiled);
}

function checkRanges(compiled: CompiledOptions): void {
  for (const name of ['ringSecurityBytes', 'ringBulkBytes'] as const) {
    const bytes = compiled[name];
    if (bytes < 65536 || bytes > 2 ** 30 || (bytes & (bytes - 1)) !== 0)
      throw optionError(name, bytes, 'a power of two from 64 KiB to 1 GiB');
  }
  assertBetween(compiled, 'pollIntervalMs', 1, 1000);
  assertBetween(compiled, 'tickMs', 10, 60_000);
  // A RawBatch must fit a record of every bus (1 MiB), with its last event (up to 50 KiB) and the counters of 256 CPUs.
  assertBetween(compiled, 'batchMaxBytes', 64 * 1024, 768 * 1024);
  assertBetween(compiled, 'spoolMaxBytes', MiB, 2 ** 40);
  assertBetween(compiled, 'killsPerMinute', 0, 6000);
  assertBetween(compiled, 'sharePerSecond', 0, 10_000_000);
  assertBetween(compiled, 'shareBurst', 1, 10_000_000);
  assertBetween(compiled, 'shareBytesPerSecond', 0, 1 << 30);
}

function checkHashesAndLogs({ hash, logs }: CompiledOptions): void {
  const { maxBytes, bytesPerSecond } = hash;
  if (!(maxBytes >= 0)) throw optionError('hash.maxBytes', maxBytes, '0 or more');
  if (!(bytesPerSecond >= MiB)) throw optionError('hash.bytesPerSecond', bytesPerSecond, '1 MiB or more');
  const { files, linesPerSecond } = logs;
  if (!(linesPerSecond >= 1)) throw optionError('logs.linesPerSecond', linesPerSecond, '1 or more');
  const relative = files.find((path) => !path.startsWith('/'));
  if (relative !== undefined) throw optionError('logs.files', relative, 'absolute paths');
}

function checkSyslog({ tamperingSyslog: address }: CompiledOptions): void {
  if (address !== '' && parseSyslogAddress(address) === null)
    throw optionError('tamperingSyslog', address, 'udp://host:port or tcp://host:port');
}

function checkAudit({ audit }: CompiledOptions): void {
  const unknown = audit.find((text) => text !== 'all' && wantOf(text) === undefined);
  if (unknown !== undefined)
    throw optionError(
      'audit',
      unknown,
      `all, or one of ${[...FILTERED_KINDS.keys()].join(', ')}, or a form of one (docs/EVENTS.md)`,
    );
}

function assertBetween(options: CompiledOptions, name: keyof CompiledOptions, low: number, high: number): void {
  const value = options[name];
  if (typeof value !== 'number' || !(value >= low && value <= high))
    throw optionError(name, value, `${low} to ${high}`);
}

function optionError(name: string, value: unknown, expected: string): CollectorError {
  return new CollectorError(
    'ERR_COLLECTOR_OPTIONS',
    `collector option ${name} is ${String(value)}, expected ${expected}`,
  );
}
