import { fateOf } from '@ringfence/base';
import type { InRecord } from '@ringfence/bus';
import { createFilter } from '../items/filter.ts';
import { createFieldMap } from '../items/map-fields.ts';
import { readItem, type TrustedKeys } from '../items/read-item.ts';
import { createRedactor } from '../items/redact.ts';
import type { SinkConfig } from '../settings/load.ts';
import type { Item, SendContext, Sink } from '../sink.ts';
import { RateLimit } from './rate-limit.ts';

/** Counts of a sink since the start. */
export interface SinkCounts {
  /** Items that the far side confirmed */
  sent: number;
  /** Items that the settings exclude, or an older version of an incident in the same batch */
  skipped: number;
  /** Records that can't be sent: refused by the far side for good, forged or unreadable */
  refused: number;
}

export interface DeliveryDeps {
  readonly config: SinkConfig;
  readonly sink: Sink;
  readonly trusted: TrustedKeys;
  readonly counts: SinkCounts;
}

export interface RefusedRecord {
  readonly record: InRecord;
  readonly error: Error;
}

/**
 * Sends the items of records. Returns the records that can't be sent: refused by the far side, forged, unreadable.
 * Rejects when the far side can't be reached.
 */
export type Deliver = (records: readonly InRecord[], context: SendContext) => Promise<readonly RefusedRecord[]>;

/** Returns the way of records to a sink: read, filter, redact, map fields, keep the newest version, wait, send. */
export function createDelivery({ config, sink, trusted, counts }: DeliveryDeps): Deliver {
  const { common, kind } = config;
  const wants = createFilter(common);
  const redact = createRedactor(common);
  const mapFields = createFieldMap(common);
  const rate = new RateLimit(common.rate);
  const deliverAll: Deliver = async (records, context) => {
    const origins = new Map<Item, InRecord>();
    for (const record of records) {
      const item = readItem(record, trusted);
      if (item !== null && wants(item)) origins.set(mapFields(redact(item)), record);
    }
    const items = kind.incidents === 'newest' ? newestVersions([...origins.keys()]) : [...origins.keys()];
    if (items.length === 0) {
      counts.skipped += records.length;
      return [];
    }
    await rate.admit(items.length, context.signal);
    const rejections = await sink.send(items, context);
    counts.sent += items.length - rejections.length;
    counts.skipped += records.length - items.length;
    return rejections.map(({ item, error }) => ({ record: origins.get(item)!, error }));
  };
  /** Of a refused batch, sends the records singly, so that the others arrive. */
  const deliver: Deliver = async (records, context) => {
    try {
      const refused = await deliverAll(records, context);
      counts.refused += refused.length;
      return refused;
    } catch (error) {
      if (!(error instanceof Error) || fateOf(error) !== 'poison') throw error;
      const [first] = records;
      if (records.length === 1) {
        counts.refused++;
        return [{ record: first!, error }];
      }
    }
    const refused: RefusedRecord[] = [];
    for (const record of records) refused.push(...(await deliver([record], context)));
    return refused;
  };
  return deliver;
}

/** Keeps the last version of each incident, at the place of that version. */
function newestVersions(items: readonly Item[]): Item[] {
  const last = new Map(items.flatMap((item) => (item.kind === 'incident' ? [[item.group, item] as const] : [])));
  return items.filter((item) => item.kind !== 'incident' || last.get(item.group) === item);
}
