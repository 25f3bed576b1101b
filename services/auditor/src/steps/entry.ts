import { createHash } from 'node:crypto';
import type { InRecord } from '@ringfence/bus';
import { SchemaError } from '@ringfence/wire';
import type { AuditEntry } from '../sink.ts';

/** Characters of one entry that full-text search sees: an argv of 1 MiB must not swell the index. */
const TEXT_MAX = 32_768;

type Own = Pick<AuditEntry, 'kind' | 'id' | 'timestamp' | 'hostId'> & Partial<AuditEntry>;

/** An entry for a record as it stood on the bus, with defaults for what it isn't found by. Throws SchemaError for an impossible time. */
export function entryOf(record: InRecord, payload: Uint8Array, own: Own): AuditEntry {
  const { topic, partition, offset } = record;
  if (!Number.isSafeInteger(own.timestamp) || !Number.isSafeInteger(own.until ?? 0)) {
    throw new SchemaError('ERR_SCHEMA_VALUE', `${topic}/${partition} at ${offset}: a time past 2^53 µs`);
  }
  return {
    topic,
    partition,
    offset,
    payload,
    until: own.timestamp,
    entities: [],
    eventKinds: 0,
    eventCount: 0,
    text: '',
    cause: '',
    incident: null,
    ...own,
  };
}

/** What is searched, bounded. */
export function searchText(parts: readonly string[]): string {
  return parts
    .filter((part) => part !== '')
    .join(' ')
    .slice(0, TEXT_MAX);
}

/** Of a record that has no id of its own: its bytes are the same when it is delivered again, whatever its offset is then. */
export function contentId(value: Uint8Array): string {
  return createHash('sha256').update(value).digest('hex').slice(0, 32);
}
