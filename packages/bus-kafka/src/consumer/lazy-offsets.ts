import { LogThrottle } from '@ringfence/base';
import { WireError } from '../client/wire.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Membership } from './membership.ts';
import type { PartitionCursor } from './partition-cursor.ts';

const DELAY_MS = 100;
const RETRY_MS = 1000;
const LOG_EVERY_MS = 60_000;

/**
 * Commits offsets with a short delay, many at once. A crash before that redelivers records, which have no second
 * effect.
 */
export class LazyOffsets {
  readonly #cluster: Cluster;
  readonly #membership: Membership;
  readonly #warnings = new LogThrottle(LOG_EVERY_MS);
  /** Cursors whose committed offset the coordinator does not know yet. */
  readonly #pending: Set<PartitionCursor> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(cluster: Cluster, membership: Membership) {
    this.#cluster = cluster;
    this.#membership = membership;
  }

  mark(cursor: PartitionCursor): void {
    this.#pending.add(cursor);
    this.#schedule(DELAY_MS);
  }

  /** Forgets the offsets of revoked partitions. */
  drop(cursors: Iterable<PartitionCursor>): void {
    for (const cursor of cursors) this.#pending.delete(cursor);
  }

  /** Commits the pending offsets. Resolves also after a failure, which is retried later. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  /** Ends the retries. A write may still be in flight, and must not schedule one when it fails after the close. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #write(): Promise<void> {
    const cursors = [...this.#pending];
    if (cursors.length === 0) return;
    this.#pending.clear();
    const offsets = cursors.map(({ topic, partition, committed }) => ({ topic, partition, offset: committed }));
    try {
      if ((await this.#membership.commitOffsets(offsets)) !== 'later') return;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#warn(error);
    }
    for (const cursor of cursors) this.#pending.add(cursor);
    this.#schedule(RETRY_MS);
  }

  #warn(error: WireError): void {
    if (this.#warnings.shouldLog('commit') === null) return;
    const { group } = this.#membership;
    this.#cluster.options.log?.warn({ err: error, group }, 'cannot commit offsets; retrying');
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => void this.flush(), ms);
  }
}
