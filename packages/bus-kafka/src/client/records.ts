export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `topic/partition`, as a key of maps and in messages. */
export const partitionName = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** Key of the only header that this bus writes. Records of a changelog carry it. */
export const HEADER = 'rf';

export interface WireRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
  /** Value of the header `rf`; null when the record has none. */
  readonly header: Buffer | null;
}

export interface FetchedRecord extends WireRecord {
  readonly offset: number;
  /** ms since the epoch */
  readonly timestampMs: number;
}

/** Memory of a record without its key and value, approximately. */
const RECORD_OVERHEAD = 256;

/** Estimates the bytes of memory of a record. Never 0, so that empty records count against the limits too. */
export const memoryBytes = ({ key, value }: { key: { length: number }; value: Uint8Array | null }): number =>
  key.length + (value?.length ?? 0) + RECORD_OVERHEAD;
