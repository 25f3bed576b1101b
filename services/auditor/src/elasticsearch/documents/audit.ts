import { createHash } from 'node:crypto';
import { baseFields, type Document } from '@ringfence/ecs';
import type { AuditKind } from '@ringfence/wire';
import { type ChainedFields, recordHash } from '../../chain.ts';
import { pack, unpack } from '../../packing.ts';
import type { AuditEntry } from '../../sink.ts';

/** Returns an entry's `_id`. Long ids are hashed: Elasticsearch allows 512 bytes, and ids are arbitrary text. */
export function idOf(kind: string, id: string): string {
  const text = `${kind}/${id}`;
  return Buffer.byteLength(text) <= 400 ? text : `${kind}/sha256:${createHash('sha256').update(id).digest('hex')}`;
}

export function digestOf(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('hex');
}

/** The chain stores only the SHA-256 of an event batch; the batch itself stays on the bus. */
export function chainedPayload(entry: AuditEntry, digest: string): Uint8Array {
  return entry.kind === 'events' ? Buffer.from(digest, 'hex') : entry.payload;
}

export interface Link {
  readonly seq: number;
  readonly hash: Buffer;
}

/** The contents of `_source.ringfence.audit`. */
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
  /** SHA-256 of the record as published on the bus */
  readonly digest: string;
  readonly size: number;
  readonly packed: 0 | 1;
  readonly payload: string;
}

/** Characters of an entry's text that are searchable; the payload contains the whole text. */
const MAX_TEXT_CHARS = 8192;

/** Chains the entry behind `last` and returns its link and document. */
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
  const searchFields = {
    ...(cause === '' ? {} : { cause }),
    ...(entities.length === 0 || kind === 'events' ? {} : { entities }),
    ...(text === '' ? {} : { text: text.slice(0, MAX_TEXT_CHARS) }),
  };
  const document = {
    ...baseFields('ringfence.audit', 'event', timestamp, hostId),
    ringfence: { audit: { ...audit, ...searchFields } },
  };
  return { link: { seq: audit.seq, hash }, document };
}

/** Restores the hashed fields. Throws RangeError or a zlib error when the payload is damaged. */
export function chainedFields(source: AuditSource, hostId: string): ChainedFields {
  const { kind, id, timestamp, topic, partition, offset } = source;
  const payload = unpack(Buffer.from(source.payload, 'base64'), source.packed, source.size);
  return { kind, id, timestamp, hostId, topic, partition, offset, payload };
}
