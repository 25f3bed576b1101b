import type { AuditEntry } from '../sink.ts';
import type { Tally } from '../tally.ts';
import type { Put } from './bulk.ts';
import { auditDocument } from './documents/audit.ts';
import { chainOf, headId, type PartitionHead } from './heads.ts';
import type { KnownEntry } from './known-entries.ts';

/** An entry with its document id and the digest of its payload. */
export interface KeyedEntry {
  readonly entry: AuditEntry;
  readonly id: string;
  readonly digest: string;
}

export interface PlannedRecord {
  readonly put: Put;
  readonly known: KnownEntry;
}

/**
 * Returns the audit documents to create, and advances `heads` past them. A known record is a duplicate, unless it
 * directly follows its chain's head: then an earlier attempt wrote the record but not the head.
 */
export function planChains(
  keyed: readonly KeyedEntry[],
  known: ReadonlyMap<string, KnownEntry>,
  heads: ReadonlyMap<string, PartitionHead>,
  stream: string,
  tally: Tally,
): PlannedRecord[] {
  const planned = new Map<string, PlannedRecord>();
  for (const { entry, id, digest } of keyed) {
    const head = heads.get(headId(entry));
    if (head === undefined) throw new TypeError(`the positions of the batch do not include ${headId(entry)}`);
    const chain = chainOf(head, entry.kind);
    const existing = known.get(id) ?? planned.get(id)?.known;
    if (existing !== undefined && existing.digest !== digest) tally.conflicts++;
    else if (existing !== undefined && existing.seq !== chain.seq + 1) tally.duplicates++;
    else {
      const { link, document } = auditDocument(entry, digest, chain);
      const hash = link.hash.toString('hex');
      if (existing !== undefined && existing.hash !== hash) {
        tally.duplicates++;
        continue;
      }
      if (existing === undefined)
        planned.set(id, {
          put: { index: stream, id, document },
          known: { seq: link.seq, hash, digest, writtenByUs: true },
        });
      Object.assign(chain, link, { offset: entry.offset });
      tally.stored[entry.kind]++;
      tally.events += entry.eventCount;
      tally.payloadBytes += entry.payload.length;
    }
  }
  return [...planned.values()];
}
