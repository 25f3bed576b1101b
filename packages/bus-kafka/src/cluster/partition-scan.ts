import { type FetchedRecord, partitionName, type TopicPartition } from '../client/records.ts';
import { EARLIEST, LATEST, type OffsetAt, type PartitionTime, type Wire, WireError } from '../client/wire.ts';
import type { Cluster } from './cluster.ts';

const MAX_WAIT_MS = 500;
const MAX_BYTES = 4 * 2 ** 20;
const MAX_UNPACKED_BYTES = 16 * 2 ** 20;

/** Returns the first offset of each partition at or after its time. Rejects with WireError, also without a leader. */
export async function offsetsAt(
  cluster: Cluster,
  wire: Wire,
  times: readonly PartitionTime[],
): Promise<ReadonlyMap<string, number>> {
  const groups = cluster.byLeader(times);
  const led = [...groups.values()].reduce((sum, partitions) => sum + partitions.length, 0);
  if (led < times.length) throw new WireError('LEADER_NOT_AVAILABLE', 'a partition has no leader');
  const answers = await Promise.all([...groups].map(([node, partitions]) => wire.offsetsAt(node, partitions)));
  return new Map(answers.flat().map((answer) => [partitionName(answer), offsetOf(answer)]));
}

function offsetOf(answer: OffsetAt): number {
  if (answer.error === null) return answer.offset;
  throw new WireError(answer.error, `offsets of ${partitionName(answer)}: the broker answered ${answer.error}`);
}

/** Returns the first and the next offset of each partition, by its name. Rejects with WireError. */
export async function endsOf(
  cluster: Cluster,
  wire: Wire,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, { readonly first: number; readonly next: number }>> {
  const offsetsOf = (timestampMs: number) =>
    offsetsAt(
      cluster,
      wire,
      partitions.map(({ topic, partition }) => ({ topic, partition, timestampMs })),
    );
  const first = await offsetsOf(EARLIEST);
  const next = await offsetsOf(LATEST);
  return new Map([...first].map(([name, offset]) => [name, { first: offset, next: next.get(name)! }]));
}

/** Reads a partition from offset `from` up to, but without, `to`. Rejects with WireError. */
export async function scan(
  cluster: Cluster,
  wire: Wire,
  { topic, partition, from, to }: TopicPartition & { readonly from: number; readonly to: number },
  onRecord: (record: FetchedRecord) => void,
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
    if (fetched === undefined) throw new WireError('NETWORK', `${topic}/${partition}: empty answer`);
    if (fetched.error !== null)
      throw new WireError(fetched.error, `${topic}/${partition}: the broker answered ${fetched.error}`);
    cluster.reportUnreadable(fetched, fetched.unreadable);
    for (const record of fetched.records) if (record.offset < to) onRecord(record);
    // A new leader may lag behind the acknowledged records for a moment.
    if (fetched.next === offset && fetched.end <= offset)
      throw new WireError('OFFSET_NOT_AVAILABLE', `${topic}/${partition} ends at ${fetched.end}, before ${to}`);
    offset = fetched.next;
  }
}
