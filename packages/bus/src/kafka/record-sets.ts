import type { FetchedRecord } from './wire.ts';

/** What one fetched partition holds, in a client's own shape reduced to ours. */
export interface BatchView {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly control: boolean;
  readonly records: readonly FetchedRecord[];
}

/** A broker gives whole batches: those records of the first that lie before what was asked for are left out, and markers of transactions. */
export function recordsFrom(
  batches: readonly BatchView[],
  from: number,
): { readonly records: readonly FetchedRecord[]; readonly next: number } {
  const records: FetchedRecord[] = [];
  let next = from;
  for (const { control, lastOffset, records: own } of batches) {
    next = Math.max(next, lastOffset + 1);
    if (control) continue;
    for (const record of own) if (record.offset >= from) records.push(record);
  }
  return { records, next };
}
