import type { KeyObject } from 'node:crypto';
import type { InRecord } from '@ringfence/bus';
import { type AuditKind, AuditKinds, decode, verifyRecord } from '@ringfence/wire';
import type { NotedHead, Tampering } from './verification.ts';

/** An auditor's public key by its id, if it was in force when the bus took the head (µs since the epoch). */
export type HeadKeys = (keyId: string, at: number) => KeyObject | undefined;

export interface NotedHeads {
  readonly heads: readonly NotedHead[];
  /** signed by nobody, or not by one of `keys`; not among `heads` */
  readonly forged: readonly Tampering[];
  /** whether signatures were looked at */
  readonly areVerified: boolean;
}

/** Heads held of one chain; beyond it every other one is let go: each still proves all before it. */
const MAX_OF_CHAIN = 20_000;
const MAX_FORGED = 1000;

/**
 * Reads `ringfence.audit-heads`. `keys`: the auditors' public keys; a head that isn't signed by one of them proves nothing and is reported. Undefined:
 * signatures are not looked at, as in one process, where heads go unsigned.
 */
export async function readHeads(records: AsyncIterable<InRecord>, keys: HeadKeys | undefined): Promise<NotedHeads> {
  const byChain = new Map<string, NotedHead[]>();
  const forged: Tampering[] = [];
  for await (const { value, offset, timestamp } of records) {
    if (value === null) continue;
    const read = readHead(value, timestamp, keys);
    if ('head' in read) {
      const name = `${read.head.topic}/${read.head.partition}/${read.head.kind}`;
      const ofChain = byChain.get(name) ?? [];
      ofChain.push(read.head);
      byChain.set(name, ofChain.length > MAX_OF_CHAIN ? ofChain.filter((_, i) => i % 2 === 1 || i < 2) : ofChain);
    } else if (forged.length < MAX_FORGED) forged.push({ ...read.forged, seq: read.forged.seq || offset });
  }
  return { heads: [...byChain.values()].flat(), forged, areVerified: keys !== undefined };
}

function readHead(
  value: Uint8Array,
  takenAt: number,
  keys: HeadKeys | undefined,
): { readonly head: NotedHead } | { readonly forged: Tampering } {
  let head: ReturnType<typeof decode<'AuditHead'>>;
  try {
    head = decode('AuditHead', value);
  } catch {
    // Whatever it is, no auditor wrote it.
    return { forged: { what: 'forged-head', topic: '', partition: 0, kind: 'events', seq: 0, id: '', count: 1 } };
  }
  const { topic, partition, count: seq, at, trail, keyId } = head;
  const kind = (AuditKinds as readonly string[]).includes(head.kind) ? (head.kind as AuditKind) : 'events';
  const key = keys?.(keyId, takenAt);
  if (keys !== undefined && (key === undefined || !verifyRecord(key, value)))
    return { forged: { what: 'forged-head', topic, partition, kind, seq, id: keyId, count: 1 } };
  return { head: { topic, partition, kind, seq, hash: Buffer.from(head.hash).toString('hex'), at, trail } };
}
