import type { Cluster } from './cluster.ts';
import {
  EARLIEST,
  type FetchedRecord,
  LATEST,
  type OffsetAt,
  type TopicPartition,
  type Wire,
  WireError,
} from './wire.ts';

const MAX_WAIT_MS = 500;
const MAX_BYTES = 4 * 2 ** 20;
const MAX_UNPACKED_BYTES = 16 * 2 ** 20;

/** The first offset of each partition at or after its time. Rejects with WireError: also when one has no leader now. */
export async function offsetsAt(
  cluster: Cluster,
  wire: Wire,
  at: readonly (TopicPartition & { readonly timestampMs: number })[],
): Promise<ReadonlyMap<string, number>> {
  const groups = cluster.byLeader(at);
  const asked = [...groups.values()].reduce((sum, own) => sum + own.length, 0);
  if (asked < at.length) throw new WireError('LEADER_NOT_AVAILABLE', 'a partition has no leader');
  const answers = await Promise.all([...groups].map(([node, own]) => wire.offsetsAt(node, own)));
  return new Map(answers.flat().map((one) => [nameOf(one), checked(one)]));
}

function checked(one: OffsetAt): number {
  if (one.error === null) return one.offset;
  throw new WireError(one.error, `offsets of ${nameOf(one)}: the broker says ${one.error}`);
}

export const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** First and next offset of each partition. Rejects with WireError. */
export async function endsOf(
  cluster: Cluster,
  wire: Wire,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, { readonly first: number; readonly next: number }>> {
  const at = (timestampMs: number) =>
    offsetsAt(
      cluster,
      wire,
      partitions.map(({ topic, partition }) => ({ topic, partition, timestampMs })),
    );
  const first = await at(EARLIEST);
  const next = await at(LATEST);
  return new Map([...first].map(([name, offset]) => [name, { first: offset, next: next.get(name)! }]));
}

/** Reads a partition from one offset up to another, once. Rejects with WireError. */
export async function scan(
  cluster: Cluster,
  wire: Wire,
  { topic, partition, from, to }: TopicPartition & { readonly from: number; readonly to: number },
  each: (record: FetchedRecord) => void,
): Promise<void> {
  for (let offset = from; offset < to; ) {
    const node = cluster.leader({ topic, partition });
    if (node === null) throw new WireError('LEADER_NOT_AVAILABLE', `${topic}/${partition} has no leader`);
    const [fetched] = await wire.fetch(node, {
      from: [{ topic, partition, offset }],
      maxWaitMs: MAX_WAIT_MS,
      maxBytes: MAX_BYTES,
      maxPartitionBytes: MAX_BYTES,
      maxUnpackedBytes: MAX_UNPACKED_BYTES,
    });
    if (fetched === undefined) throw new WireError('NETWORK', `${topic}/${partition}: an empty answer`);
    if (fetched.error !== null)
      throw new WireError(fetched.error, `${topic}/${partition}: the broker says ${fetched.error}`);
    cluster.reportUnreadable(fetched, fetched.unreadable);
    for (const record of fetched.records) if (record.offset < to) each(record);
    // After a change of the leader its end may lie before what was acknowledged, for a moment.
    if (fetched.next === offset && fetched.end <= offset)
      throw new WireError('OFFSET_NOT_AVAILABLE', `${topic}/${partition} ends at ${fetched.end}, before ${to}`);
    offset = fetched.next;
  }
}
