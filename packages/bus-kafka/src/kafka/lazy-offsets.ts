import type { Cluster } from './cluster.ts';
import type { Feed } from './feed.ts';
import type { Membership } from './membership.ts';
import { WireError } from './wire.ts';

const LATER_MS = 100;
const RETRY_MS = 1000;
const LOG_EVERY_MS = 60_000;

/** Offsets of what is done, told to the coordinator a little later, many at once: a crash before that only delivers again what changes nothing. */
export class LazyOffsets {
  readonly #cluster: Cluster;
  readonly #membership: Membership;
  readonly #ahead: Set<Feed> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #warnedAt = -Infinity;
  #writing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(cluster: Cluster, membership: Membership) {
    this.#cluster = cluster;
    this.#membership = membership;
  }

  mark(feed: Feed): void {
    this.#ahead.add(feed);
    this.#later(LATER_MS);
  }

  /** They are another's now. */
  drop(feeds: Iterable<Feed>): void {
    for (const feed of feeds) this.#ahead.delete(feed);
  }

  /** Writes what is ahead. What fails is tried again later. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  /** What fails from now on is not tried again: a write may be on its way still, and outlast the close. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #write(): Promise<void> {
    const feeds = [...this.#ahead];
    if (feeds.length === 0) return;
    this.#ahead.clear();
    const offsets = feeds.map(({ topic, partition, committed }) => ({ topic, partition, offset: committed }));
    try {
      if ((await this.#membership.commitOffsets(offsets)) !== 'later') return;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#warn(error);
    }
    for (const feed of feeds) this.#ahead.add(feed);
    this.#later(RETRY_MS);
  }

  #warn(error: WireError): void {
    if (performance.now() - this.#warnedAt < LOG_EVERY_MS) return;
    this.#warnedAt = performance.now();
    const { group } = this.#membership;
    this.#cluster.options.log?.warn({ err: error, group }, 'offsets can not be written; it is tried again');
  }

  #later(ms: number): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => void this.flush(), ms);
  }
}
