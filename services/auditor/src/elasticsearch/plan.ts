import type { Tally } from '../tally.ts';
import type { Put } from './bulk.ts';
import { auditDocument } from './documents/audit.ts';
import { chainOf, headId, type PartitionHead } from './heads.ts';
import type { Known } from './known.ts';
import type { Keyed } from './sink.ts';

export interface Planned {
  readonly put: Put;
  readonly known: Known;
}

/**
 * The audit documents to create, and `heads` moved on behind them. A record that is known is a duplicate, unless it stands right behind its chain's head: then
 * an earlier attempt wrote it and didn't come to write the head.
 */
export function planChains(
  keyed: readonly Keyed[],
  known: ReadonlyMap<string, Known>,
  heads: ReadonlyMap<string, PartitionHead>,
  stream: string,
  tally: Tally,
): Planned[] {
  const planned = new Map<string, Planned>();
  for (const { entry, id, digest } of keyed) {
    const head = heads.get(headId(entry));
    if (head === undefined)
      throw new TypeError(`an entry of ${headId(entry)}, which is not among the batch's positions`);
    const chain = chainOf(head, entry.kind);
    const there = known.get(id) ?? planned.get(id)?.known;
    if (there !== undefined && there.digest !== digest) tally.conflicts++;
    else if (there !== undefined && there.seq !== chain.seq + 1) tally.duplicates++;
    else {
      const { link, document } = auditDocument(entry, digest, chain);
      const hash = link.hash.toString('hex');
      if (there !== undefined && there.hash !== hash) {
        tally.duplicates++;
        continue;
      }
      if (there === undefined)
        planned.set(id, { put: { index: stream, id, document }, known: { seq: link.seq, hash, digest, isOurs: true } });
      Object.assign(chain, link, { offset: entry.offset });
      tally.stored[entry.kind]++;
      tally.events += entry.eventCount;
      tally.payloadBytes += entry.payload.length;
    }
  }
  return [...planned.values()];
}
