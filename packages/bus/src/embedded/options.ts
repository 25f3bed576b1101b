import type { Log } from '@ringfence/base';

export interface EmbeddedBusOptions {
  /** The SQLite file, created with its directory if missing. ':memory:' stores nothing. */
  readonly path: string;
  /** Bound for database and write-ahead log together, bytes, at least 4 MiB. @default 2 GiB */
  readonly maxBytes?: number;
  /**
   * When SQLite flushes to the disk. 'normal': at checkpoints; kill -9 loses nothing, and a power cut may lose the last
   * commits but never damages the file. 'full': at each commit, for one fsync each. @default 'normal'
   */
  readonly synchronous?: 'normal' | 'full';
  /** @default none */
  readonly log?: Log;
  /** Interval of retention and compaction, ms. @default 5000 */
  readonly maintenanceIntervalMs?: number;
  /** How long tombstones are kept for slow readers, ms. @default 24 h */
  readonly tombstoneRetentionMs?: number;
  /** Clock in µs since the epoch, for replays. @default the wall clock */
  readonly now?: () => number;
}

export interface CompiledOptions {
  readonly path: string;
  readonly maxBytes: number;
  readonly synchronous: 'normal' | 'full';
  readonly log: Log | null;
  readonly maintenanceIntervalMs: number;
  readonly tombstoneRetentionMs: number;
  readonly now: () => number;
}

const MIN_BYTES = 4 * 2 ** 20;

export function compileOptions(options: EmbeddedBusOptions): CompiledOptions {
  const maxBytes = options.maxBytes ?? 2 ** 31;
  if (!(maxBytes >= MIN_BYTES))
    throw new RangeError(`maxBytes is ${maxBytes}: the bus needs at least ${MIN_BYTES} bytes`);
  if (options.path === '') throw new RangeError("path is empty: name a file, or ':memory:'");
  return {
    path: options.path,
    maxBytes,
    synchronous: options.synchronous ?? 'normal',
    log: options.log ?? null,
    maintenanceIntervalMs: options.maintenanceIntervalMs ?? 5000,
    tombstoneRetentionMs: options.tombstoneRetentionMs ?? 24 * 3_600_000,
    now: options.now ?? (() => Date.now() * 1000),
  };
}
