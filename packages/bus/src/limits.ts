import { BadRecordError, TopicSpecError } from './errors.ts';
import type { StateChange, TopicSpec } from './port.ts';

/** Limit for key and value together, bytes. */
export const MAX_RECORD_BYTES: number = 2 ** 20;
export const MAX_KEY_BYTES = 1024;

const NAME = /^[A-Za-z0-9._-]{1,200}$/;
const MAX_PARTITIONS = 1024;

/** Returns the bytes of key and value. Throws BadRecordError beyond the limits. `compacted`: undefined if unknown. */
export function checkRecord(
  topic: string,
  key: string,
  value: Uint8Array | null,
  compacted: boolean | undefined,
): number {
  const keyBytes = Buffer.byteLength(key);
  if (keyBytes > MAX_KEY_BYTES)
    throw new BadRecordError(topic, `the key has ${keyBytes} bytes, more than ${MAX_KEY_BYTES}`);
  if (value === null) {
    if (compacted === false)
      throw new BadRecordError(topic, 'a null value is a tombstone, and the topic is not compacted');
    return keyBytes;
  }
  if (keyBytes + value.length > MAX_RECORD_BYTES) {
    throw new BadRecordError(topic, `it has ${keyBytes + value.length} bytes, more than ${MAX_RECORD_BYTES}`);
  }
  return keyBytes + value.length;
}

export function checkState({ store, key, value }: StateChange): void {
  checkRecord(store, key, value, true);
}

export function checkTopicSpec(spec: TopicSpec): void {
  if (!NAME.test(spec.name))
    throw new TopicSpecError(spec.name, 'a name has 1 to 200 letters, digits, dots, dashes, underscores');
  if (!Number.isInteger(spec.partitions) || spec.partitions < 1 || spec.partitions > MAX_PARTITIONS) {
    throw new TopicSpecError(spec.name, `partitions is ${spec.partitions}, expected 1 to ${MAX_PARTITIONS}`);
  }
  if (!(spec.retentionMs > 0))
    throw new TopicSpecError(spec.name, `retentionMs is ${spec.retentionMs}, expected more than 0`);
  if (!(spec.retentionBytes > 0))
    throw new TopicSpecError(spec.name, `retentionBytes is ${spec.retentionBytes}, expected more than 0`);
}
