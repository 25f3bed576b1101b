import type { InRecord } from '@ringfence/bus';
import type { AuditKind } from '@ringfence/wire';
import { kindNumber } from '../../chain.ts';
import type { SourceRange } from '../../trail-reader.ts';
import { payloadOf, type Row, type Trail } from './trail.ts';

/** The kinds that are stored as their record was on the bus. */
const WHOLE: readonly AuditKind[] = ['alert', 'incident', 'command', 'result'];

/** Records in memory at once. */
const PAGE = 200;

/** Yields the records of a source partition between two offsets. The key of a record is not stored. */
export function* recordsOf(
  trail: Trail,
  { topic, partition, from, to }: SourceRange,
): Generator<InRecord, void, undefined> {
  const kinds = WHOLE.map((kind) => kindNumber[kind]).join(', ');
  const select = trail.db.prepare<[string, number, number, number], Row & { readonly offset: number }>(
    `SELECT r.source_offset AS offset, r.record, r.kind, r.id, r.timestamp, r.host, r.size, r.packed, r.payload
     FROM chains c JOIN records r ON r.chain = c.chain
     WHERE c.topic = ? AND c.partition = ? AND c.kind IN (${kinds}) AND r.source_offset >= ? AND r.source_offset < ?
     ORDER BY r.source_offset LIMIT ${PAGE}`,
  );
  for (let next = from; next < to; ) {
    const rows = trail.guard(() => select.all(topic, partition, next, to));
    for (const row of rows) {
      const { offset, timestamp, host } = row;
      yield { topic, partition, offset, key: host, value: payloadOf(row), timestamp };
      next = offset + 1;
    }
    if (rows.length < PAGE) return;
  }
}
