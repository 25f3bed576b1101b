import { TOPIC } from '@ringfence/wire';

/** A record as a consumer gets it: what `@ringfence/bus` calls an InRecord. */
export interface TestRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: Uint8Array;
  readonly timestamp: number;
}

/** Values as a consumer of one topic gets them, offsets from `offset`. */
export function testRecords(
  key: string,
  values: readonly Uint8Array[],
  topic: string = TOPIC.raw,
  offset = 0,
): TestRecord[] {
  return values.map((value, i) => ({ topic, partition: 0, offset: offset + i, key, value, timestamp: 0 }));
}
