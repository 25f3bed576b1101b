import { createHash } from 'node:crypto';
import type { AuditKind } from '@ringfence/wire';
import { type ChainedFields, recordHash } from '../../chain.ts';
import { pack, unpack } from '../../packing.ts';
import type { AuditEntry } from '../../sink.ts';
import { type Document, head } from './common.ts';

/** `_id` of an entry: Elasticsearch takes 512 bytes, and ids of records are whatever their writer said. */
export function idOf(kind: string, id: string): string {
  const text = `${kind}/${id}`;
  return Buffer.byteLength(text) <= 400 ? text : `${kind}/sha256:${createHash('sha256').update(id).digest('hex')}`;
}

export function digestOf(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('hex');
}

/** Batches of events stay on the bus: the chain keeps their sha256. */
export function chainedPayload(entry: AuditEntry, digest: string): Uint8Array {
  return entry.kind === 'events' ? Buffer.from(digest, 'hex') : entry.payload;
}

export interface Link {
  readonly seq: number;
  readonly hash: Buffer;
}

/** What `_source.ringfence.audit` holds. */
export interface AuditSource {
  readonly kind: AuditKind;
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly seq: number;
  readonly timestamp: number;
  readonly prev_hash: string;
  readonly hash: string;
  /** sha256 of the record as it stood on the bus */
  readonly digest: string;
  readonly size: number;
  readonly packed: 0 | 1;
  readonly payload: string;
}

/** Characters that are searched of one entry: what its text says is in the payload too. */
const TEXT_MAX = 8192;

/** The entry as it is chained behind `last`, and the document of it. */
export function auditDocument(entry: AuditEntry, digest: string, last: Link): { link: Link; document: Document } {
  const { kind, id, topic, partition, offset, timestamp, hostId, cause, entities, text } = entry;
  const payload = chainedPayload(entry, digest);
  const hash = recordHash(last.hash, { ...entry, payload });
  const { bytes, packed } = pack(payload);
  const audit: AuditSource = {
    ...{ kind, id, topic, partition, offset, timestamp },
    seq: last.seq + 1,
    prev_hash: last.hash.toString('hex'),
    hash: hash.toString('hex'),
    digest,
    size: payload.length,
    packed,
    payload: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
  };
  const found = {
    ...(cause === '' ? {} : { cause }),
    ...(entities.length === 0 || kind === 'events' ? {} : { entities }),
    ...(text === '' ? {} : { text: text.slice(0, TEXT_MAX) }),
  };
  const document = {
    ...head('ringfence.audit', 'event', timestamp, hostId),
    ringfence: { audit: { ...audit, ...found } },
  };
  return { link: { seq: audit.seq, hash }, document };
}

/** What was hashed, read back. Throws RangeError, or what zlib throws, for bytes that aren't what was packed. */
export function chainedFields(source: AuditSource, hostId: string): ChainedFields {
  const { kind, id, timestamp, topic, partition, offset } = source;
  const payload = unpack(Buffer.from(source.payload, 'base64'), source.packed, source.size);
  return { kind, id, timestamp, hostId, topic, partition, offset, payload };
}
