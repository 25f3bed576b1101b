import { createHash } from 'node:crypto';
import type { Item } from '../../sink.ts';

export interface Place {
  /** Folders above the layout, without slashes at the ends; empty: none */
  readonly prefix: string;
  readonly region: string;
  readonly accountId: string;
}

/** Items of one object, in order. */
export interface StoredObject {
  /** Name without the extension */
  readonly name: string;
  readonly items: readonly Item[];
}

const DIGEST_CHARS = 32;

/**
 * Returns the objects of a batch, one for each day of the records, in the layout of Amazon Security Lake. A name has
 * the digest of the ids, so that the same records overwrite themselves, and never overwrite others.
 */
export function objectsOf(items: readonly Item[], { prefix, region, accountId }: Place): StoredObject[] {
  const days = Map.groupBy(items, ({ at }) => compact(at).slice(0, 8));
  return [...days].map(([day, records]) => {
    const digest = createHash('sha256');
    for (const { id } of records) digest.update(id).update('\0');
    const file = `${compact(records[0]!.at)}-${digest.digest('hex').slice(0, DIGEST_CHARS)}`;
    const folders = [prefix, `region=${region}`, `accountId=${accountId}`, `eventDay=${day}`].filter(Boolean);
    return { name: `${folders.join('/')}/${file}`, items: records };
  });
}

/** A time of UTC as 20260131T235959Z. @param at µs since the epoch */
const compact = (at: number): string => new Date(at / 1000).toISOString().replaceAll(/[-:]|\.\d+/g, '');
