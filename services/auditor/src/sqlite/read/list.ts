import { pause } from '@ringfence/base';
import { type AuditKind, decode, type RecordTypes } from '@ringfence/wire';
import { kindNumber } from '../../chain.ts';
import { COLUMNS, isIn, payloadOf, type Row, type TimeRange, type Trail } from './trail.ts';

export interface ListQuery<T> extends TimeRange {
  /** Maximum number of items: the newest ones, yielded oldest first. @default 1000 */
  readonly limit?: number;
  readonly where?: (item: T) => boolean;
  /** Continues with newly stored items until `signal` aborts. @default false */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** Record types that are stored individually. */
export type ListedType = 'Alert' | 'Command' | 'Result' | 'DeadLetter' | 'Incident' | 'OperatorAction';

const KINDS: Readonly<Record<ListedType, AuditKind>> = {
  Alert: 'alert',
  Command: 'command',
  Result: 'result',
  DeadLetter: 'dlq',
  Incident: 'incident',
  OperatorAction: 'operator',
};

const FOLLOW_POLL_MS = 100;

/** Yields the newest items, then with `follow` all later ones. Incidents: the newest version, then later ones. */
export async function* list<N extends ListedType>(
  trail: Trail,
  name: N,
  query: ListQuery<RecordTypes[N]>,
): AsyncGenerator<RecordTypes[N], void, undefined> {
  let after = lastRecord(trail);
  yield* newest(trail, name, query, after);
  while (query.follow === true && query.signal?.aborted !== true) {
    // Read the version before the rows, so that a write in between counts as a change.
    const version = trail.version();
    const rows = rowsAfter(trail, KINDS[name], after);
    for (const row of rows) {
      const item = decode(name, payloadOf(row));
      if (isIn(query, row) && query.where?.(item) !== false) yield item;
      after = row.record;
    }
    if (rows.length === 0) await nextChange(trail, version, query.signal);
  }
}

function newest<N extends ListedType>(
  trail: Trail,
  name: N,
  query: ListQuery<RecordTypes[N]>,
  last: number,
): RecordTypes[N][] {
  const { limit = 1000, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = query;
  if (limit <= 0) return [];
  const newestOnly = name === 'Incident' ? 'AND r.record IN (SELECT record FROM incidents)' : '';
  const select = trail.db.prepare<[number, number, number, number], Row>(
    `SELECT ${COLUMNS} FROM records r WHERE r.kind = ? AND r.timestamp BETWEEN ? AND ? AND r.record <= ? ${newestOnly}
     ORDER BY r.timestamp DESC, r.record DESC`,
  );
  const found: RecordTypes[N][] = [];
  trail.guard(() => {
    for (const row of select.iterate(kindNumber[KINDS[name]], from, to, last)) {
      if (!isIn(query, row)) continue;
      const item = decode(name, payloadOf(row));
      if (query.where?.(item) === false) continue;
      found.push(item);
      if (found.length >= limit) break;
    }
  });
  return found.reverse();
}

function lastRecord(trail: Trail): number {
  return trail.guard(
    () => trail.db.prepare<[], { last: number | null }>('SELECT max(record) AS last FROM records').get()?.last ?? 0,
  );
}

function rowsAfter(trail: Trail, kind: AuditKind, after: number): Row[] {
  return trail.guard(() =>
    trail.db
      .prepare<[number, number], Row>(
        `SELECT ${COLUMNS} FROM records r WHERE r.record > ? AND +r.kind = ? ORDER BY r.record LIMIT 1000`,
      )
      .all(after, kindNumber[kind]),
  );
}

/** Waits until another connection has written since `version`, or `signal` aborts. */
async function nextChange(trail: Trail, version: unknown, signal: AbortSignal | undefined): Promise<void> {
  while (signal?.aborted !== true && trail.version() === version) {
    await pause(FOLLOW_POLL_MS, signal);
  }
}
