import { createHash } from 'node:crypto';
import { type AuditKind, AuditKinds, AvroWriter } from '@ringfence/wire';

/** The fields of an AuditRecord that are hashed, besides prevHash. */
export interface ChainedFields {
  readonly id: string;
  readonly kind: AuditKind;
  readonly timestamp: number;
  readonly hostId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly payload: Uint8Array;
}

/** prevHash of the first record of a chain. */
export const GENESIS: Buffer = Buffer.alloc(32);

export const kindNumber: Readonly<Record<AuditKind, number>> = Object.fromEntries(
  AuditKinds.map((kind, index) => [kind, index]),
) as Record<AuditKind, number>;

export function kindOf(number: number): AuditKind | undefined {
  return AuditKinds[number];
}

const scratch = new AvroWriter(4096);

/** Returns the SHA-256 of prevHash followed by the record's other fields in Avro encoding. */
export function recordHash(prevHash: Uint8Array, fields: ChainedFields): Buffer {
  scratch.at = 0;
  scratch.string(fields.id);
  scratch.ensure(20);
  scratch.long(kindNumber[fields.kind]);
  scratch.long(fields.timestamp);
  scratch.string(fields.hostId);
  scratch.string(fields.topic);
  scratch.ensure(40);
  scratch.long(fields.partition);
  scratch.long(fields.offset);
  scratch.long(fields.payload.length);
  const head = scratch.buffer.subarray(0, scratch.at);
  return createHash('sha256').update(prevHash).update(head).update(fields.payload).digest();
}
