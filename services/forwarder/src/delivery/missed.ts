import type { Consumer, InRecord } from '@ringfence/bus';
import { topics } from '@ringfence/wire';

/** Records of a topic that were deleted before the sink read them. */
export interface MissedRange {
  readonly topic: string;
  readonly partition: number;
  /** Offsets; `to` is not included. */
  readonly from: number;
  readonly to: number;
}

/** Reads records of the bus from the audit trail, in the order of their offsets. */
export interface TrailSource {
  recordsOf(range: MissedRange): AsyncIterable<InRecord>;
}

const COMPACTED: ReadonlySet<string> = new Set(topics.filter(({ compacted }) => compacted).map(({ name }) => name));

/**
 * Returns the ranges between what the group has committed and the records that it got. Compaction makes holes in a
 * compacted topic, which has the newest version of each incident all the same.
 */
export function missedRanges(consumer: Pick<Consumer, 'position'>, records: readonly InRecord[]): MissedRange[] {
  const first = Map.groupBy(records, ({ topic, partition }) => `${topic}/${partition}`);
  return [...first.values()].flatMap(([record]) => {
    const { topic, partition, offset: to } = record!;
    const from = consumer.position(topic, partition);
    return to > from && !COMPACTED.has(topic) ? [{ topic, partition, from, to }] : [];
  });
}
