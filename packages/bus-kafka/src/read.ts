import { type InRecord, type ReadOptions, topicsOf } from '@ringfence/bus';
import { partitionName, type TopicPartition } from './client/records.ts';
import { type Wire, WireError } from './client/wire.ts';
import type { Cluster } from './cluster/cluster.ts';
import { endsOf, offsetsAt } from './cluster/partition-scan.ts';
import { fetchWaitMs } from './consumer/fetcher.ts';
import { PartitionCursor } from './consumer/partition-cursor.ts';
import type { Context } from './context.ts';

/** With several brokers, the records of one are handed out only after the others have answered. */
const SHORT_WAIT_MS = 500;
const MAX_BYTES = 4 * 2 ** 20;
const MAX_UNPACKED_BYTES = 16 * 2 ** 20;
const MAX_PARTITION_BYTES = 2 ** 20;

interface Range {
  readonly cursor: PartitionCursor;
  /** Reading ends before this offset. Infinity when following. */
  readonly end: number;
}

/**
 * Reads all partitions of the topics without a group: each in order, merged by time as far as records are available.
 * Rejects with UnknownTopicError, BusUnavailableError and BusRefusedError.
 */
export async function* readTopic(
  context: Context,
  wire: Wire,
  options: ReadOptions,
  hasEnded: () => boolean,
): AsyncGenerator<InRecord, void, undefined> {
  const { cluster } = context;
  const retry = <T>(request: () => Promise<T>): Promise<T | null> =>
    retryUntilEnded(cluster, options, hasEnded, request);
  const ranges = await retry(() => rangesOf(context, wire, options));
  if (ranges === null) return;
  while (!hasEnded() && !options.signal?.aborted) {
    const empty = ranges.filter(({ cursor, end }) => cursor.length === 0 && cursor.fetchFrom < end);
    if (oldest(ranges) === undefined) {
      if (empty.length === 0) return;
      await retry(() => fill(cluster, wire, empty));
    } else if (empty.length > 0 && options.follow !== true) await retry(() => fill(cluster, wire, empty));
    // A follower hands out records at once, because the other partitions may be silent for long.
    for (;;) {
      const next = oldest(ranges);
      if (next === undefined) break;
      yield next.cursor.shift();
      const isExhausted = next.cursor.length === 0 && next.cursor.fetchFrom < next.end;
      if (isExhausted || hasEnded() || options.signal?.aborted) break;
    }
  }
}

async function rangesOf({ cluster }: Context, wire: Wire, options: ReadOptions): Promise<Range[]> {
  const partitions: (TopicPartition & { readonly name: string })[] = [];
  for (const name of topicsOf(options)) {
    const topic = cluster.physical(name);
    const count = await cluster.partitions(topic);
    for (let partition = 0; partition < count; partition++) partitions.push({ name, topic, partition });
  }
  const ends = await endsOf(cluster, wire, partitions);
  const { from = 'earliest', follow = false } = options;
  const timestampMs = typeof from === 'number' ? Math.floor(from / 1000) : 0;
  const found =
    typeof from === 'number'
      ? await offsetsAt(
          cluster,
          wire,
          partitions.map(({ topic, partition }) => ({ topic, partition, timestampMs })),
        )
      : new Map<string, number>();
  return partitions.map((at) => {
    const { first, next } = ends.get(partitionName(at))!;
    const atTime = found.get(partitionName(at)) ?? -1;
    const start = from === 'earliest' ? first : atTime < 0 ? next : atTime;
    return { cursor: new PartitionCursor(at, at.name, start, next), end: follow ? Infinity : next };
  });
}

/** Retries a request, without a deadline when following. Returns null when reading has ended in the meantime. */
async function retryUntilEnded<T>(
  cluster: Cluster,
  options: ReadOptions,
  hasEnded: () => boolean,
  request: () => Promise<T>,
): Promise<T | null> {
  const deadlineMs = options.follow === true ? Infinity : cluster.options.requestDeadlineMs * 3;
  try {
    return await cluster.retry(`reading ${topicsOf(options).join(', ')}`, deadlineMs, () => {
      // The wire is closed by now, so don't let its errors be retried.
      if (hasEnded()) throw new Error('reading ended');
      return request();
    });
  } catch (error) {
    if (hasEnded()) return null;
    throw error;
  }
}

async function fill(cluster: Cluster, wire: Wire, ranges: readonly Range[]): Promise<void> {
  const cursors = new Map(ranges.map(({ cursor }) => [partitionName(cursor), cursor]));
  const groups = [...cluster.byLeader([...cursors.values()])];
  if (groups.length === 0) throw new WireError('LEADER_NOT_AVAILABLE', 'no partition has a leader');
  const answers = await Promise.all(
    groups.map(([node, led]) =>
      wire.fetch(node, {
        from: led.map(({ topic, partition, fetchFrom }) => ({ topic, partition, offset: fetchFrom })),
        maxWaitMs: groups.length === 1 ? fetchWaitMs(cluster) : Math.min(SHORT_WAIT_MS, fetchWaitMs(cluster)),
        maxBytes: MAX_BYTES,
        maxPartitionBytes: MAX_PARTITION_BYTES,
        maxUnpackedBytes: MAX_UNPACKED_BYTES,
      }),
    ),
  );
  for (const answer of answers.flat()) {
    const cursor = cursors.get(partitionName(answer))!;
    if (answer.error === 'OFFSET_OUT_OF_RANGE') {
      const { first } = (await endsOf(cluster, wire, [cursor])).get(partitionName(cursor))!;
      cursor.push([], first);
    } else if (answer.error !== null)
      throw new WireError(answer.error, `${partitionName(cursor)}: the broker answered ${answer.error}`);
    else {
      cluster.reportUnreadable(answer, answer.unreadable);
      cursor.push(answer.records, answer.next);
    }
  }
}

/** Returns the range whose next record is the oldest, or undefined when no record before the ends is available. */
function oldest(ranges: readonly Range[]): Range | undefined {
  let best: { range: Range; timestamp: number } | undefined;
  for (const range of ranges) {
    const head = range.cursor.peek();
    if (head === undefined || head.offset >= range.end) continue;
    if (best === undefined || head.timestamp < best.timestamp) best = { range, timestamp: head.timestamp };
  }
  return best?.range;
}
