import { type Backoff, backoffMs, LogThrottle } from '@ringfence/base';
import { partitionName } from '../client/records.ts';
import { type Fetched, type Node, type Wire, WireError } from '../client/wire.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { endsOf } from '../cluster/partition-scan.ts';
import type { Stats } from '../stats.ts';
import type { PartitionCursor } from './partition-cursor.ts';

const MAX_WAIT_MS = 5000;
/** While a partition without room is left out of the request: fetch it soon after it has room again. */
const SHORT_WAIT_MS = 20;
/** A failed broker delays fetches from all brokers, so the pauses stay short. */
const RETRY: Backoff = { firstMs: 50, maxMs: 1000 };
const MAX_PARTITION_BYTES = 2 ** 20;
const MIN_BYTES = 64 * 1024;
/** Weight of the previous value in the moving average of the unpack ratio. */
const RATIO_WEIGHT = 8;
const LOG_EVERY_MS = 60_000;

/** Returns how long a broker may wait for new records before it answers: well within the deadline of a request. */
export function fetchWaitMs({ options }: Cluster): number {
  return Math.min(MAX_WAIT_MS, Math.floor(options.requestDeadlineMs / 2));
}

export interface FetcherOptions {
  readonly cluster: Cluster;
  /** Fetches use a wire of their own, because a waiting fetch blocks later requests. */
  readonly openWire: () => Wire;
  readonly stats: Stats;
  /** Limit for fetched records that are not taken yet, bytes. One well-packed batch may exceed it. */
  readonly bufferBytes: number;
  /** Called when records have arrived, with the offset of the first. */
  readonly onRecords: (cursor: PartitionCursor, first: number) => void;
}

/** Fills the partition cursors: one request at a time to each broker, for its partitions that have room. */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #warnings = new LogThrottle(LOG_EVERY_MS);
  /** Cursors of the request in flight, by node id; null when the broker will answer after SHORT_WAIT_MS at most. */
  readonly #inFlight: Map<number, readonly PartitionCursor[] | null> = new Map();
  #wire: Wire;
  #cursors: readonly PartitionCursor[] = [];
  /** Moving average of unpacked to packed bytes. Converts the room in the buffer to a limit for the response. */
  #unpackRatio = 1;
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#wire = options.openWire();
  }

  get cursors(): readonly PartitionCursor[] {
    return this.#cursors;
  }

  get isFull(): boolean {
    return this.#bufferedBytes() >= this.#options.bufferBytes;
  }

  set(cursors: readonly PartitionCursor[]): void {
    this.#cursors = cursors;
    this.pump();
  }

  /** Sends the possible fetches. Call it when the buffer may have room again. */
  pump(): void {
    if (this.#closed || this.#timer !== undefined || this.#cursors.length === 0) return;
    const { cluster, bufferBytes } = this.#options;
    const room = bufferBytes - this.#bufferedBytes();
    if (room <= 0) return;
    const groups = cluster.byLeader(this.#cursors);
    if ([...groups].some(([{ id }, led]) => this.#isMissingFrom(id, led))) this.#abandonFetches();
    let ledCount = 0;
    for (const [node, led] of groups) {
      ledCount += led.length;
      if (this.#inFlight.has(node.id)) continue;
      const withRoom = led.filter(({ bytes }) => bytes < bufferBytes / 2);
      if (withRoom.length > 0) void this.#fetch(node, withRoom, room, withRoom.length === led.length);
    }
    if (ledCount < this.#cursors.length)
      this.#pauseAfter(new WireError('LEADER_NOT_AVAILABLE', 'a partition has no leader'));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cursors = [];
    clearTimeout(this.#timer);
    await this.#wire.close();
  }

  /** Whether the long request in flight lacks a partition that was assigned, or moved to this broker, meanwhile. */
  #isMissingFrom(node: number, led: readonly PartitionCursor[]): boolean {
    const requested = this.#inFlight.get(node) ?? null;
    return requested !== null && led.some((cursor) => !requested.includes(cursor));
  }

  /** Replaces the wire. Late answers on the old one are ignored, and their records fetched again. */
  #abandonFetches(): void {
    void this.#wire.close();
    this.#wire = this.#options.openWire();
    this.#inFlight.clear();
  }

  #bufferedBytes(): number {
    return this.#cursors.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async #fetch(node: Node, cursors: readonly PartitionCursor[], room: number, isComplete: boolean): Promise<void> {
    const wire = this.#wire;
    this.#inFlight.set(node.id, isComplete ? cursors : null);
    try {
      const fetched = await wire.fetch(node, {
        from: cursors.map(({ topic, partition, fetchFrom }) => ({ topic, partition, offset: fetchFrom })),
        maxWaitMs: isComplete ? fetchWaitMs(this.#options.cluster) : SHORT_WAIT_MS,
        maxBytes: Math.max(MIN_BYTES, Math.round(room / this.#unpackRatio)),
        maxPartitionBytes: MAX_PARTITION_BYTES,
        maxUnpackedBytes: room,
      });
      await this.#deliver(wire, cursors, fetched);
      this.#attempt = 0;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (wire === this.#wire && !this.#closed) this.#pauseAfter(error);
    }
    if (wire !== this.#wire) return;
    this.#inFlight.delete(node.id);
    this.pump();
  }

  async #deliver(wire: Wire, cursors: readonly PartitionCursor[], fetched: readonly Fetched[]): Promise<void> {
    const requested = new Map(cursors.map((cursor) => [partitionName(cursor), cursor]));
    let failure: WireError | null = null;
    for (const answer of fetched) {
      if (wire !== this.#wire) return;
      const cursor = requested.get(partitionName(answer));
      // The partition may have been revoked during the request.
      if (cursor === undefined || !this.#cursors.includes(cursor)) continue;
      if (answer.error === 'OFFSET_OUT_OF_RANGE') await this.#resetPosition(wire, cursor);
      else if (answer.error !== null)
        failure = new WireError(answer.error, `${partitionName(cursor)}: the broker answered ${answer.error}`);
      else this.#accept(cursor, answer);
    }
    if (failure !== null) throw failure;
  }

  #accept(cursor: PartitionCursor, answer: Fetched): void {
    const { records, next, end, unreadable, packedBytes, unpackedBytes } = answer;
    const { cluster, stats, onRecords } = this.#options;
    stats.add('unreadableBatches', unreadable.length);
    cluster.reportUnreadable(cursor, unreadable);
    cursor.end = Math.max(end, next);
    if (packedBytes > 0)
      this.#unpackRatio += (Math.max(1, unpackedBytes / packedBytes) - this.#unpackRatio) / RATIO_WEIGHT;
    cursor.push(records, next);
    if (records.length === 0) return;
    const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    stats.fetched(records.length, bytes, packedBytes);
    onRecords(cursor, records[0]!.offset);
  }

  /**
   * Continues at the first available offset: retention has removed the records that come next, or the broker has lost
   * records that were read.
   */
  async #resetPosition(wire: Wire, cursor: PartitionCursor): Promise<void> {
    const { cluster, stats } = this.#options;
    const { first, next } = (await endsOf(cluster, wire, [cursor])).get(partitionName(cursor))!;
    const { fetchFrom } = cursor;
    const facts = { topic: cursor.name, partition: cursor.partition, offset: fetchFrom, first, next };
    if (fetchFrom < first) {
      stats.add('expiredRecords', first - fetchFrom);
      cluster.options.log?.error(
        facts,
        'records expired before they were read: the retention is too short for the lag',
      );
    } else if (fetchFrom > next)
      cluster.options.log?.error(facts, 'the partition ends before the read position: reading it from its beginning');
    else return;
    cursor.push([], first);
  }

  #pauseAfter(error: WireError): void {
    const { cluster } = this.#options;
    if (this.#attempt > 2 && this.#warnings.shouldLog('fetch') !== null)
      cluster.options.log?.warn({ err: error }, 'cannot fetch records; retrying');
    this.#timer ??= setTimeout(() => void this.#resume(), backoffMs(this.#attempt++, RETRY));
  }

  async #resume(): Promise<void> {
    await this.#options.cluster.tryRefresh();
    this.#timer = undefined;
    this.pump();
  }
}
