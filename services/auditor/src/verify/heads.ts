import type { KeyObject } from 'node:crypto';
import type { InRecord } from '@ringfence/bus';
import { type AuditKind, AuditKinds, decode, verifyRecord } from '@ringfence/wire';
import { chainKey } from './chain-verifier.ts';
import type { PublishedHead, Tampering } from './verification.ts';

/** Returns an auditor's public key by its id if it was in force when the bus received the head (µs since the epoch). */
export type HeadKeys = (keyId: string, at: number) => KeyObject | undefined;

export interface PublishedHeads {
  readonly heads: readonly PublishedHead[];
  /** Heads that are unsigned or not signed by one of `keys`; not included in `heads` */
  readonly forged: readonly Tampering[];
  /** Whether signatures were verified */
  readonly areVerified: boolean;
}

/** Maximum number of heads per chain; beyond it every second is dropped. Each head proves all earlier records. */
const MAX_HEADS_PER_CHAIN = 20_000;
const MAX_FORGED = 1000;

/**
 * Reads `ringfence.audit-heads`. A head that is not signed by one of the auditors' `keys` proves nothing and is
 * reported. Without `keys` signatures are not verified, as in a single process, where heads are unsigned.
 */
export async function readHeads(
  records: AsyncIterable<Pick<InRecord, 'value' | 'offset' | 'timestamp'>>,
  keys: HeadKeys | undefined,
): Promise<PublishedHeads> {
  const byChain = new Map<string, PublishedHead[]>();
  const forged: Tampering[] = [];
  for await (const { value, offset, timestamp } of records) {
    if (value === null) continue;
    const result = readHead(value, timestamp, keys);
    if ('head' in result) {
      const name = chainKey(result.head);
      const chainHeads = byChain.get(name) ?? [];
      chainHeads.push(result.head);
      byChain.set(
        name,
        chainHeads.length > MAX_HEADS_PER_CHAIN ? chainHeads.filter((_, i) => i % 2 === 1 || i < 2) : chainHeads,
      );
    } else if (forged.length < MAX_FORGED) forged.push({ ...result.forged, seq: result.forged.seq || offset });
  }
  return { heads: [...byChain.values()].flat(), forged, areVerified: keys !== undefined };
}

function readHead(
  value: Uint8Array,
  receivedAt: number,
  keys: HeadKeys | undefined,
): { readonly head: PublishedHead } | { readonly forged: Tampering } {
  let head: ReturnType<typeof decode<'AuditHead'>>;
  try {
    head = decode('AuditHead', value);
  } catch {
    // Bytes that cannot be decoded were not written by an auditor.
    return { forged: { type: 'forged-head', topic: '', partition: 0, kind: 'events', seq: 0, id: '', count: 1 } };
  }
  const { topic, partition, count: seq, at, trail, keyId } = head;
  const kind = (AuditKinds as readonly string[]).includes(head.kind) ? (head.kind as AuditKind) : 'events';
  const key = keys?.(keyId, receivedAt);
  if (keys !== undefined && (key === undefined || !verifyRecord(key, value)))
    return { forged: { type: 'forged-head', topic, partition, kind, seq, id: keyId, count: 1 } };
  return { head: { topic, partition, kind, seq, hash: Buffer.from(head.hash).toString('hex'), at, trail } };
}
