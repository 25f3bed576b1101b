import { defined } from '@ringfence/base';
import { EventView } from '@ringfence/wire';
import { kindNumber } from '../../chain.ts';
import { ALL_KINDS, hasKind } from '../../kind-bits.ts';
import { entityKey } from '../entity-keys.ts';
import { COLUMNS, payloadOf, type Row, type TimeRange, type Trail } from './trail.ts';

export interface EventQuery extends TimeRange {
  /** Only events of this process, hex */
  readonly entityId?: string;
  /** Bit n selects events of kind n (KIND). @default all */
  readonly eventKinds?: number;
}

/**
 * Yields events in the order of their batches. The same view is reused: copy what you need before the next event.
 * Batches without a matching kind or process are not unpacked.
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
  // Select record numbers first: a slow reader inside a query would keep the write-ahead log from shrinking.
  for (const record of recordsInRange(trail, query)) {
    const row = trail.guard(() => select.get(record));
    if (row !== undefined) yield row;
  }
}

/** Returns the batches that overlap the time range and contain a matching kind and process. */
function recordsInRange(trail: Trail, query: EventQuery): number[] {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, eventKinds: kinds = ALL_KINDS } = query;
  const key = query.entityId === undefined ? undefined : entityKey(query.entityId);
  if (key === null) return [];
  const byEntity =
    key === undefined ? '' : 'AND r.record IN (SELECT record FROM entities WHERE entity = @key AND kind = @kind)';
  const byHost = query.hostId === undefined ? '' : 'AND r.host = @hostId';
  const parameters = {
    kind: kindNumber.events,
    // The index is by start time; an overlapping batch starts at most the longest span earlier.
    since: from - longestSpan(trail),
    from,
    to,
    kinds,
    ...defined({ key, hostId: query.hostId }),
  };
  return trail.guard(() =>
    trail.db
      .prepare<[object], { record: number }>(
        `SELECT r.record FROM records r WHERE r.kind = @kind AND r.timestamp BETWEEN @since AND @to AND r.until >= @from
         AND (r.event_kinds & @kinds) <> 0 ${byHost} ${byEntity} ORDER BY r.timestamp, r.record`,
      )
      .all(parameters)
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
