import type { Cluster } from './cluster.ts';
import { backoffMs } from './deadline.ts';
import type { Feed } from './feed.ts';
import { endsOf, nameOf } from './partition-scan.ts';
import type { Stats } from './stats.ts';
import { type Fetched, type Node, type Wire, WireError } from './wire.ts';

const MAX_WAIT_MS = 5000;
/** The same while a partition is left out for want of room: it wants to be asked for as soon as there is some. */
const SHORT_WAIT_MS = 20;
/** After a failure; brokers that are well wait with the one that isn't. */
const MAX_PAUSE_MS = 1000;
const MAX_PARTITION_BYTES = 2 ** 20;
const MIN_BYTES = 64 * 1024;
const RATIO_WEIGHT = 8;
const LOG_EVERY_MS = 60_000;

/** How long a broker may wait for something to come, which it tells as soon as it is there: well within what a request may take. */
export function patienceMs({ options }: Cluster): number {
  return Math.min(MAX_WAIT_MS, Math.floor(options.requestDeadlineMs / 2));
}

export interface FetcherOptions {
  readonly cluster: Cluster;
  /** for connections of its own: a waiting fetch holds up what comes after it */
  readonly openWire: () => Wire;
  readonly stats: Stats;
  /** how many bytes may lie fetched and not taken; a batch more, when it is packed well */
  readonly bufferBytes: number;
  /** something came */
  readonly onRecords: (feed: Feed, first: number) => void;
}

/** Keeps feeds filled: one request at a time to each broker, for those of its partitions that have room. */
export class Fetcher {
  readonly #options: FetcherOptions;
  /** what each broker is asked for now; null: it answers within moments */
  readonly #asked: Map<number, readonly Feed[] | null> = new Map();
  #wire: Wire;
  #feeds: readonly Feed[] = [];
  /** of what is unpacked to what was sent, lately: so that little is sent that there is no room for */
  #ratio = 1;
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;
  #warnedAt = -Infinity;
  #closed = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#wire = options.openWire();
  }

  get feeds(): readonly Feed[] {
    return this.#feeds;
  }

  get isFull(): boolean {
    return this.#bytes() >= this.#options.bufferBytes;
  }

  set(feeds: readonly Feed[]): void {
    this.#feeds = feeds;
    this.pump();
  }

  /** There may be room again. */
  pump(): void {
    if (this.#closed || this.#timer !== undefined || this.#feeds.length === 0) return;
    const { cluster } = this.#options;
    const room = this.#options.bufferBytes - this.#bytes();
    if (room <= 0) return;
    const groups = cluster.byLeader(this.#feeds);
    if ([...groups].some(([{ id }, own]) => this.#holdsUp(id, own))) this.#hangUp();
    let led = 0;
    for (const [node, own] of groups) {
      led += own.length;
      if (this.#asked.has(node.id)) continue;
      const hungry = own.filter(({ bytes }) => bytes < this.#options.bufferBytes / 2);
      if (hungry.length > 0) void this.#fetch(node, hungry, room, hungry.length === own.length);
    }
    if (led < this.#feeds.length) this.#pause(new WireError('LEADER_NOT_AVAILABLE', 'a partition has no leader'));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#feeds = [];
    clearTimeout(this.#timer);
    await this.#wire.close();
  }

  /** A broker waits, and not for all that it has now: a partition has come to us, or to it. */
  #holdsUp(node: number, own: readonly Feed[]): boolean {
    const asked = this.#asked.get(node) ?? null;
    return asked !== null && own.some((feed) => !asked.includes(feed));
  }

  /** Nothing is asked any more: what still comes as an answer is asked for again. */
  #hangUp(): void {
    void this.#wire.close();
    this.#wire = this.#options.openWire();
    this.#asked.clear();
  }

  #bytes(): number {
    return this.#feeds.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async #fetch(node: Node, feeds: readonly Feed[], room: number, all: boolean): Promise<void> {
    const wire = this.#wire;
    this.#asked.set(node.id, all ? feeds : null);
    try {
      const fetched = await wire.fetch(node, {
        from: feeds.map(({ topic, partition, fetchFrom }) => ({ topic, partition, offset: fetchFrom })),
        maxWaitMs: all ? patienceMs(this.#options.cluster) : SHORT_WAIT_MS,
        maxBytes: Math.max(MIN_BYTES, Math.round(room / this.#ratio)),
        maxPartitionBytes: MAX_PARTITION_BYTES,
        maxUnpackedBytes: room,
      });
      await this.#deliver(wire, feeds, fetched);
      this.#attempt = 0;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (wire === this.#wire && !this.#closed) this.#pause(error);
    }
    if (wire !== this.#wire) return;
    this.#asked.delete(node.id);
    this.pump();
  }

  async #deliver(wire: Wire, feeds: readonly Feed[], fetched: readonly Fetched[]): Promise<void> {
    const asked = new Map(feeds.map((feed) => [nameOf(feed), feed]));
    let failed: WireError | null = null;
    for (const answer of fetched) {
      if (wire !== this.#wire) return;
      const feed = asked.get(nameOf(answer));
      // It may have gone to another member meanwhile.
      if (feed === undefined || !this.#feeds.includes(feed)) continue;
      if (answer.error === 'OFFSET_OUT_OF_RANGE') await this.#relocate(wire, feed);
      else if (answer.error !== null)
        failed = new WireError(answer.error, `${nameOf(feed)}: the broker says ${answer.error}`);
      else this.#take(feed, answer);
    }
    if (failed !== null) throw failed;
  }

  #take(feed: Feed, { records, next, end, unreadable, packedBytes, unpackedBytes }: Fetched): void {
    this.#options.stats.add('unreadableBatches', unreadable.length);
    this.#options.cluster.reportUnreadable(feed, unreadable);
    feed.end = Math.max(end, next);
    if (packedBytes > 0) this.#ratio += (Math.max(1, unpackedBytes / packedBytes) - this.#ratio) / RATIO_WEIGHT;
    feed.push(records, next);
    if (records.length === 0) return;
    const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    this.#options.stats.fetched(records.length, bytes, packedBytes);
    this.#options.onRecords(feed, records[0]!.offset);
  }

  /** The broker has removed what comes next, or has lost what we have read: on with what it has. */
  async #relocate(wire: Wire, feed: Feed): Promise<void> {
    const { cluster, stats } = this.#options;
    const { first, next } = (await endsOf(cluster, wire, [feed])).get(nameOf(feed))!;
    const { fetchFrom } = feed;
    const facts = { topic: feed.name, partition: feed.partition, offset: fetchFrom, first, next };
    if (fetchFrom < first) {
      stats.add('expiredRecords', first - fetchFrom);
      cluster.options.log?.error(
        facts,
        'records were removed before they were read: retention is too short for the lag',
      );
    } else if (fetchFrom > next)
      cluster.options.log?.error(facts, 'the partition ends before what was read of it: it is read from its beginning');
    else return;
    feed.push([], first);
  }

  #pause(error: WireError): void {
    const { cluster } = this.#options;
    if (performance.now() - this.#warnedAt >= LOG_EVERY_MS && this.#attempt > 2) {
      this.#warnedAt = performance.now();
      cluster.options.log?.warn({ err: error }, 'nothing can be fetched; it is tried again');
    }
    this.#timer ??= setTimeout(() => void this.#resume(), backoffMs(this.#attempt++, 50, MAX_PAUSE_MS));
  }

  async #resume(): Promise<void> {
    try {
      await this.#options.cluster.refresh();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
    this.#timer = undefined;
    this.pump();
  }
}
