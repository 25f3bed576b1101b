import { TOPIC } from '@ringfence/wire';

/** A record as a consumer receives it: an InRecord of `@ringfence/bus`. */
export interface ConsumerRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: Uint8Array;
  readonly timestamp: number;
}

/** Returns the values as records of partition 0 of a topic, with offsets from `offset`. */
export function consumerRecords(
  key: string,
  values: readonly Uint8Array[],
  topic: string = TOPIC.raw,
  offset = 0,
): ConsumerRecord[] {
  return values.map((value, i) => ({ topic, partition: 0, offset: offset + i, key, value, timestamp: 0 }));
}
