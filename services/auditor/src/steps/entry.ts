import { createHash } from 'node:crypto';
import type { InRecord } from '@ringfence/bus';
import { SchemaError } from '@ringfence/wire';
import type { AuditEntry } from '../sink.ts';

/** Converts a record to entries. Throws SchemaError (poison) when the bytes do not match the schema of their topic. */
export type RecordReader = (record: InRecord, value: Uint8Array) => readonly AuditEntry[];

/** Characters of an entry in the full-text index: an argv of 1 MiB must not bloat it. */
const MAX_TEXT_CHARS = 32_768;

type EntryFields = Pick<AuditEntry, 'kind' | 'id' | 'timestamp' | 'hostId'> & Partial<AuditEntry>;

/** Creates the entry of a record, with defaults for missing fields. Throws SchemaError for a time beyond 2^53 µs. */
export function entryOf(record: InRecord, payload: Uint8Array, fields: EntryFields): AuditEntry {
  const { topic, partition, offset } = record;
  if (!Number.isSafeInteger(fields.timestamp) || !Number.isSafeInteger(fields.until ?? 0)) {
    throw new SchemaError('ERR_SCHEMA_VALUE', `${topic}/${partition} at ${offset}: its time exceeds 2^53 µs`);
  }
  return {
    topic,
    partition,
    offset,
    payload,
    until: fields.timestamp,
    entities: [],
    eventKinds: 0,
    eventCount: 0,
    text: '',
    cause: '',
    incident: null,
    ...fields,
  };
}

/** Joins the texts that are searched, up to the limit. */
export function searchText(parts: readonly string[]): string {
  return parts
    .filter((part) => part !== '')
    .join(' ')
    .slice(0, MAX_TEXT_CHARS);
}

/** Returns a hash of the bytes as an id: it stays the same when the record is delivered at another offset. */
export function contentId(value: Uint8Array): string {
  return createHash('sha256').update(value).digest('hex').slice(0, 32);
}
