import { type InRecord, type ReadOptions, topicsOf } from '@ringfence/bus';
import type { Cluster } from './cluster.ts';
import type { Context } from './context.ts';
import { Feed } from './feed.ts';
import { patienceMs } from './fetcher.ts';
import { endsOf, nameOf, offsetsAt } from './partition-scan.ts';
import { type TopicPartition, type Wire, WireError } from './wire.ts';

/** With several brokers: what one has told waits for what the others will. */
const SHORT_WAIT_MS = 500;
const MAX_BYTES = 4 * 2 ** 20;
const MAX_UNPACKED_BYTES = 16 * 2 ** 20;
const MAX_PARTITION_BYTES = 2 ** 20;

interface Cursor {
  readonly feed: Feed;
  /** reading ends before it; Infinity when following */
  readonly end: number;
}

/** Records of all partitions of the topics, merged by time as far as they are there; each partition in order. Rejects with UnknownTopicError and Bus… errors. */
export async function* readTopic(
  context: Context,
  wire: Wire,
  options: ReadOptions,
  ended: () => boolean,
): AsyncGenerator<InRecord, void, undefined> {
  const { cluster } = context;
  const insist = <T>(ask: () => Promise<T>): Promise<T | null> => insistUntil(cluster, options, ended, ask);
  const cursors = await insist(() => cursorsOf(context, wire, options));
  if (cursors === null) return;
  while (!ended() && !options.signal?.aborted) {
    const open = cursors.filter(({ feed, end }) => feed.length === 0 && feed.fetchFrom < end);
    // What lies beyond the end was written after the reading began.
    if (oldest(cursors) === undefined) {
      if (open.length === 0) return;
      await insist(() => fill(cluster, wire, open));
    } else if (open.length > 0 && options.follow !== true) await insist(() => fill(cluster, wire, open));
    // Followers don't wait for partitions that may be silent for long.
    for (;;) {
      const next = oldest(cursors);
      if (next === undefined) break;
      yield next.feed.shift();
      const starved = next.feed.length === 0 && next.feed.fetchFrom < next.end;
      if (starved || ended() || options.signal?.aborted) break;
    }
  }
}

async function cursorsOf({ cluster }: Context, wire: Wire, options: ReadOptions): Promise<Cursor[]> {
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
    const { first, next } = ends.get(nameOf(at))!;
    const seeked = found.get(nameOf(at)) ?? -1;
    const start = from === 'earliest' ? first : seeked < 0 ? next : seeked;
    return { feed: new Feed(at, at.name, start, next), end: follow ? Infinity : next };
  });
}

/** A follower goes on through outages of the brokers. null: the reading ended meanwhile. */
async function insistUntil<T>(
  cluster: Cluster,
  options: ReadOptions,
  ended: () => boolean,
  ask: () => Promise<T>,
): Promise<T | null> {
  const patienceMs = options.follow === true ? Infinity : cluster.options.requestDeadlineMs * 3;
  try {
    return await cluster.insist(`reading ${topicsOf(options).join(', ')}`, patienceMs, () => {
      // The wire may be closed: no failure that would be tried again.
      if (ended()) throw new Error('reading ended');
      return ask();
    });
  } catch (error) {
    if (ended()) return null;
    throw error;
  }
}

async function fill(cluster: Cluster, wire: Wire, cursors: readonly Cursor[]): Promise<void> {
  const feeds = new Map(cursors.map(({ feed }) => [nameOf(feed), feed]));
  const groups = [...cluster.byLeader([...feeds.values()])];
  if (groups.length === 0) throw new WireError('LEADER_NOT_AVAILABLE', 'no partition has a leader');
  const answers = await Promise.all(
    groups.map(([node, own]) =>
      wire.fetch(node, {
        from: own.map(({ topic, partition, fetchFrom }) => ({ topic, partition, offset: fetchFrom })),
        maxWaitMs: groups.length === 1 ? patienceMs(cluster) : Math.min(SHORT_WAIT_MS, patienceMs(cluster)),
        maxBytes: MAX_BYTES,
        maxPartitionBytes: MAX_PARTITION_BYTES,
        maxUnpackedBytes: MAX_UNPACKED_BYTES,
      }),
    ),
  );
  for (const answer of answers.flat()) {
    const feed = feeds.get(nameOf(answer))!;
    if (answer.error === 'OFFSET_OUT_OF_RANGE') {
      const { first } = (await endsOf(cluster, wire, [feed])).get(nameOf(feed))!;
      feed.push([], first);
    } else if (answer.error !== null)
      throw new WireError(answer.error, `${nameOf(feed)}: the broker says ${answer.error}`);
    else {
      cluster.reportUnreadable(answer, answer.unreadable);
      feed.push(answer.records, answer.next);
    }
  }
}

/** Whose turn it is; undefined: nothing that is here is wanted. */
function oldest(cursors: readonly Cursor[]): Cursor | undefined {
  let best: { cursor: Cursor; timestamp: number } | undefined;
  for (const cursor of cursors) {
    const head = cursor.feed.peek();
    if (head === undefined || head.offset >= cursor.end) continue;
    if (best === undefined || head.timestamp < best.timestamp) best = { cursor, timestamp: head.timestamp };
  }
  return best?.cursor;
}
