import { EventView } from '@ringfence/wire';
import { kindNumber } from '../../chain.ts';
import { ALL_KINDS, hasKind } from '../../kind-bits.ts';
import { entityKey } from '../entity-keys.ts';
import { COLUMNS, payloadOf, type Row, type TimeRange, type Trail } from './trail.ts';

export interface EventQuery extends TimeRange {
  /** hex: only events of this process */
  readonly entityId?: string;
  /** bit n: events of kind n (KIND). @default all */
  readonly eventKinds?: number;
}

/**
 * Events in the order of their batches. The view is the same one for all: take what you need before the next. Batches without an event in
 * question are not unpacked.
 */
export function* eventsOf(trail: Trail, query: EventQuery): Generator<EventView, void, undefined> {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, eventKinds = ALL_KINDS, entityId } = query;
  const view = new EventView();
  for (const row of batches(trail, query)) {
    view.open(payloadOf(row));
    while (view.next()) {
      const { timestamp } = view;
      if (timestamp < from || timestamp > to || !hasKind(eventKinds, view.cursor.kind)) continue;
      if (entityId !== undefined && view.process?.entityId !== entityId) continue;
      yield view;
    }
  }
}

function* batches(trail: Trail, query: EventQuery): Generator<Row, void, undefined> {
  const select = trail.db.prepare<[number], Row>(`SELECT ${COLUMNS} FROM records r WHERE r.record = ?`);
  // Places first, payloads one by one: a reader that is slow must not keep the write-ahead log from shrinking.
  for (const record of places(trail, query)) {
    const row = trail.guard(() => select.get(record));
    if (row !== undefined) yield row;
  }
}

/** Batches that overlap the time, have an event of a kind, and one of the process. */
function places(trail: Trail, query: EventQuery): number[] {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, eventKinds: kinds = ALL_KINDS } = query;
  const key = query.entityId === undefined ? undefined : entityKey(query.entityId);
  if (key === null) return [];
  const byEntity =
    key === undefined ? '' : 'AND r.record IN (SELECT record FROM entities WHERE entity = @key AND kind = @kind)';
  const byHost = query.hostId === undefined ? '' : 'AND r.host = @hostId';
  const given = {
    kind: kindNumber.events,
    // The index knows where a batch begins; one that overlaps begins at most the longest span earlier.
    since: from - longestSpan(trail),
    from,
    to,
    kinds,
    ...(key === undefined ? {} : { key }),
    ...(query.hostId === undefined ? {} : { hostId: query.hostId }),
  };
  return trail.guard(() =>
    trail.db
      .prepare<[object], { record: number }>(
        `SELECT r.record FROM records r WHERE r.kind = @kind AND r.timestamp BETWEEN @since AND @to AND r.until >= @from
         AND (r.event_kinds & @kinds) <> 0 ${byHost} ${byEntity} ORDER BY r.timestamp, r.record`,
      )
      .all(given)
      .map(({ record }) => record),
  );
}

function longestSpan(trail: Trail): number {
  return trail.guard(
    () =>
      trail.db
        .prepare<[number], { span: number | null }>('SELECT max(span) AS span FROM chains WHERE kind = ?')
        .get(kindNumber.events)?.span ?? 0,
  );
}
