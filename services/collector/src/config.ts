import type { HashLimits } from '@ringfence/host-facts';
import { FILTERED_KINDS, wantOf } from '@ringfence/interest';
import type { LogOptions } from '@ringfence/log-reader';
import type { ProbeOptions } from '@ringfence/sensor';
import { CollectorError } from './errors.ts';

export interface CollectorOptions {
  /** the compiled sensor. */
  readonly sensorObject: string;
  /** directory that holds the executed commands, the spool and the agent's lock; made when missing */
  readonly stateDir: string;
  /** directory under a bpf file system where maps and links are pinned. @default /sys/fs/bpf/ringfence */
  readonly pinPath?: string;
  /** bytes, a power of two. A larger ring bridges a longer stall. @default 4 MiB */
  readonly ringSecurityBytes?: number;
  /** bytes, a power of two. @default 16 MiB */
  readonly ringBulkBytes?: number;
  /** ms between two looks at the rings while events come: longer makes larger batches and later alerts. @default 4 */
  readonly pollIntervalMs?: number;
  /** ms between two ticks; every timer downstream runs on them. @default 1000 */
  readonly tickMs?: number;
  /** bytes of events in one RawBatch. @default 512 KiB */
  readonly batchMaxBytes?: number;
  /** 'all' sends every open; 'interest' what loaded content can match. @default interest */
  readonly opens?: 'interest' | 'all';
  /** opens below these are sent whatever the content says. @default none */
  readonly watchedPaths?: readonly string[];
  /** Kinds of events, or `kind.form`, that are sent whatever the content says; `all`: every one. @default none */
  readonly audit?: readonly string[];
  /** directory of the spool. @default <stateDir>/spool */
  readonly spoolPath?: string;
  /** bytes that the spool may use; when full, the oldest bulk batches go first. @default 512 MiB */
  readonly spoolMaxBytes?: number;
  /** directories of files that say which cgroup is which container. @default <stateDir>/containers.d and /run/ringfence/containers.d */
  readonly containerFiles?: readonly string[];
  /** kills carried out in any 60 s, whoever ordered them; more are refused. @default 60 */
  readonly killsPerMinute?: number;
  /** where the host's file system is: another place than / in a container only. @default / */
  readonly hostRoot?: string;
  /** data roots of Docker engines besides those that are found; as the host names them. @default none */
  readonly dockerRoots?: readonly string[];
  /** which logs are read, as the host names them. @default none */
  readonly logs?: LogOptions;
  /** how often kernel and host are looked at, and what is known there. @default never */
  readonly integrity?: { readonly everyMs: number; readonly knownPrograms: readonly string[] };
  /** whether executables are hashed, up to which size and how fast. @default yes, 64 MiB, 32 MiB/s */
  readonly hash?: HashLimits & { readonly enabled: boolean };
  /** which probes in user space are set. @default none */
  readonly probes?: ProbeOptions;
  /** events a second of one cgroup that a ring is promised while it is more than half full; 0: any number. @default 20,000 */
  readonly sharePerSecond?: number;
  /** events that a cgroup may send at once beyond that. @default 5,000 */
  readonly shareBurst?: number;
  /** leave sensor and pins in the kernel on a clean close too: events of the pause are then read by the next start. @default false */
  readonly keepPinned?: boolean;
}

export type CompiledOptions = Required<CollectorOptions>;

const MiB = 1 << 20;

/** Throws CollectorError (ERR_COLLECTOR_OPTIONS) naming the option. */
export function compileOptions(options: CollectorOptions): CompiledOptions {
  const { stateDir } = options;
  const compiled: CompiledOptions = {
    pinPath: '/sys/fs/bpf/ringfence',
    ringSecurityBytes: 4 * MiB,
    ringBulkBytes: 16 * MiB,
    pollIntervalMs: 4,
    tickMs: 1000,
    batchMaxBytes: 512 * 1024,
    opens: 'interest',
    watchedPaths: [],
    audit: [],
    spoolPath: `${stateDir}/spool`,
    spoolMaxBytes: 512 * MiB,
    containerFiles: [`${stateDir}/containers.d`, '/run/ringfence/containers.d'],
    killsPerMinute: 60,
    hostRoot: '/',
    dockerRoots: [],
    logs: { files: [], journald: 'off', linesPerSecond: 1000 },
    integrity: { everyMs: 0, knownPrograms: [] },
    hash: { enabled: true, maxBytes: 64 * MiB, bytesPerSecond: 32 * MiB },
    probes: { pam: false, shell: false, tls: false, files: [] },
    sharePerSecond: 20_000,
    shareBurst: 5000,
    keepPinned: false,
    ...options,
  };
  for (const name of ['ringSecurityBytes', 'ringBulkBytes'] as const) {
    const bytes = compiled[name];
    if (bytes < 65536 || bytes > 2 ** 30 || (bytes & (bytes - 1)) !== 0)
      throw bad(name, bytes, 'a power of two from 64 KiB to 1 GiB');
  }
  between(compiled, 'pollIntervalMs', 1, 1000);
  between(compiled, 'tickMs', 10, 60_000);
  // A RawBatch must fit one record of every bus (1 MiB), with its last event (an exec of 50 KiB) and the counters of 256 CPUs.
  between(compiled, 'batchMaxBytes', 64 * 1024, 768 * 1024);
  between(compiled, 'spoolMaxBytes', MiB, 2 ** 40);
  between(compiled, 'killsPerMinute', 0, 6000);
  const { maxBytes, bytesPerSecond } = compiled.hash;
  if (!(maxBytes >= 0)) throw bad('hash.maxBytes', maxBytes, '0 or more');
  if (!(bytesPerSecond >= MiB)) throw bad('hash.bytesPerSecond', bytesPerSecond, '1 MiB or more');
  between(compiled, 'sharePerSecond', 0, 10_000_000);
  between(compiled, 'shareBurst', 1, 10_000_000);
  const { files, linesPerSecond } = compiled.logs;
  if (!(linesPerSecond >= 1)) throw bad('logs.linesPerSecond', linesPerSecond, '1 or more');
  const unknown = compiled.audit.find((text) => text !== 'all' && wantOf(text) === undefined);
  if (unknown !== undefined)
    throw bad(
      'audit',
      unknown,
      `all, or one of ${[...FILTERED_KINDS.keys()].join(', ')}, or a form of one (docs/EVENTS.md)`,
    );
  const relative = files.find((path) => !path.startsWith('/'));
  if (relative !== undefined) throw bad('logs.files', relative, 'absolute paths');
  return Object.freeze(compiled);
}

function between(options: CompiledOptions, name: keyof CompiledOptions, low: number, high: number): void {
  const value = options[name];
  if (typeof value !== 'number' || !(value >= low && value <= high)) throw bad(name, value, `${low} to ${high}`);
}

function bad(name: string, value: unknown, expected: string): CollectorError {
  return new CollectorError(
    'ERR_COLLECTOR_OPTIONS',
    `collector option ${name} is ${String(value)}, expected ${expected}`,
  );
}
