import type { TrailReader } from '@ringfence/auditor';
import type { Bus } from '@ringfence/bus';
import { catalogue, documentOf, type EventDocument, eventKinds } from '@ringfence/fields';
import { type Alert, decode, EventView, type Incident, type OperatorAction, TOPIC } from '@ringfence/wire';
import { alertFilter, eventFilter, incidentFilter } from './filters.ts';
import { MAX_LISTED } from './protocol.ts';

export interface Query {
  /** Yield records that arrive later, too. */
  readonly follow: boolean;
  /** Most stored records. */
  readonly limit: number;
  /** Oldest time of a stored record, µs since the epoch. */
  readonly from: number;
  /** Condition in the rule language; empty: none. */
  readonly where: string;
  readonly signal: AbortSignal;
}

/** Parses `?follow=1&limit=N&from=µs&where=…`. */
export function queryOf(query: URLSearchParams, signal: AbortSignal): Query {
  const limit = Number(query.get('limit') ?? '100');
  return {
    follow: query.get('follow') === '1',
    limit: Number.isInteger(limit) && limit >= 0 ? Math.min(limit, MAX_LISTED) : 100,
    from: Number(query.get('from') ?? '0') || 0,
    where: query.get('where') ?? '',
    signal,
  };
}

const acceptAll = (): boolean => true;

export function alerts(reader: TrailReader, bus: Bus, query: Query): AsyncGenerator<Alert> {
  const where = query.where === '' ? acceptAll : alertFilter(query.where);
  return storedThenNew(
    reader.alerts({ limit: query.limit, from: query.from, where }),
    query,
    records(bus, TOPIC.alerts, query, (bytes) => decode('Alert', bytes)),
    where,
  );
}

export function incidents(reader: TrailReader, bus: Bus, query: Query): AsyncGenerator<Incident> {
  const where = query.where === '' ? acceptAll : incidentFilter(query.where);
  return storedThenNew(
    reader.incidents({ limit: query.limit, from: query.from, where }),
    query,
    records(bus, TOPIC.incidents, query, (bytes) => decode('Incident', bytes)),
    where,
  );
}

/** Yields the newest stored actions of operators. */
export const operatorActions = (reader: TrailReader, { limit, from }: Query): AsyncIterable<OperatorAction> =>
  reader.operatorActions({ limit, from });

/** Yields events as documents: new events with `follow`, else the last `limit` events that the bus still keeps. */
export function events(bus: Bus, query: Query): AsyncGenerator<EventDocument> {
  // Compiled here, not in the generator: an invalid condition must fail before the response starts.
  return matching(bus, query, query.where === '' ? acceptAll : eventFilter(query.where));
}

async function* matching(bus: Bus, query: Query, where: (event: EventView) => boolean): AsyncGenerator<EventDocument> {
  const last: EventDocument[] = [];
  const view = new EventView();
  const from = query.follow ? 'latest' : query.from;
  for await (const record of bus.read({ topic: TOPIC.events, from, follow: query.follow, signal: query.signal })) {
    if (record.value === null) continue;
    view.open(record.value);
    while (view.next()) {
      if (!where(view)) continue;
      const document = documentOf(view, catalogue.fields, eventKinds.names[view.cursor.kind] ?? 'unknown');
      if (query.follow) yield document;
      else last.push(document);
    }
    if (last.length > query.limit) last.splice(0, last.length - query.limit);
  }
  yield* last;
}

async function* records<T>(bus: Bus, topic: string, query: Query, read: (bytes: Uint8Array) => T): AsyncGenerator<T> {
  for await (const record of bus.read({ topic, from: 'latest', follow: true, signal: query.signal }))
    if (record.value !== null) yield read(record.value);
}

/** Yields stored records, then new ones from the bus. Reads the bus first, so that no record is missed in between. */
async function* storedThenNew<T extends { readonly id: string }>(
  stored: AsyncIterable<T>,
  query: Query,
  arriving: AsyncGenerator<T>,
  where: (item: T) => boolean,
): AsyncGenerator<T> {
  const first = query.follow ? arriving.next() : undefined;
  for await (const item of stored) yield item;
  if (first === undefined) return;
  for (let next = await first; next.done !== true; next = await arriving.next())
    if (where(next.value)) yield next.value;
}
