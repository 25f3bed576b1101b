import { pause } from '@ringfence/base';
import { type AuditKind, decode, type RecordTypes } from '@ringfence/schema';
import { kindNumber } from '../../chain.ts';
import { COLUMNS, isIn, payloadOf, type Row, type TimeRange, type Trail } from './trail.ts';

export interface ListQuery<T> extends TimeRange {
  /** the newest this many, shown oldest first. @default 1000 */
  readonly limit?: number;
  readonly where?: (item: T) => boolean;
  /** go on with what is stored from now on, until `signal`. @default false */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** What is kept singly, as it stood on the bus. */
export type Listed = 'Alert' | 'Command' | 'Result' | 'DeadLetter' | 'Incident';

const KINDS: Readonly<Record<Listed, AuditKind>> = {
  Alert: 'alert',
  Command: 'command',
  Result: 'result',
  DeadLetter: 'dlq',
  Incident: 'incident',
};

const FOLLOW_POLL_MS = 100;

/** The newest, then with `follow` those to come. Of an incident the newest version; then every version that comes. */
export async function* list<N extends Listed>(
  trail: Trail,
  name: N,
  query: ListQuery<RecordTypes[N]>,
): AsyncGenerator<RecordTypes[N], void, undefined> {
  let after = lastRecord(trail);
  yield* newest(trail, name, query, after);
  while (query.follow === true && query.signal?.aborted !== true) {
    // Asked before the rows: what is stored in between then counts as a change.
    const version = trail.version();
    const rows = since(trail, KINDS[name], after);
    for (const row of rows) {
      const item = decode(name, payloadOf(row));
      if (isIn(query, row) && query.where?.(item) !== false) yield item;
      after = row.record;
    }
    if (rows.length === 0) await change(trail, version, query.signal);
  }
}

function newest<N extends Listed>(
  trail: Trail,
  name: N,
  query: ListQuery<RecordTypes[N]>,
  last: number,
): RecordTypes[N][] {
  const { limit = 1000, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = query;
  if (limit <= 0) return [];
  const only = name === 'Incident' ? 'AND r.record IN (SELECT record FROM incidents)' : '';
  const select = trail.db.prepare<[number, number, number, number], Row>(
    `SELECT ${COLUMNS} FROM records r WHERE r.kind = ? AND r.timestamp BETWEEN ? AND ? AND r.record <= ? ${only}
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

function since(trail: Trail, kind: AuditKind, after: number): Row[] {
  return trail.guard(() =>
    trail.db
      .prepare<[number, number], Row>(
        `SELECT ${COLUMNS} FROM records r WHERE r.record > ? AND +r.kind = ? ORDER BY r.record LIMIT 1000`,
      )
      .all(after, kindNumber[kind]),
  );
}

/** Waits until another connection has written since `version`, or `signal` aborts. */
async function change(trail: Trail, version: unknown, signal: AbortSignal | undefined): Promise<void> {
  while (signal?.aborted !== true && trail.version() === version) {
    await pause(FOLLOW_POLL_MS, signal);
  }
}
