import type { AuditKind } from '@ringfence/wire';
import { kindOf } from '../../chain.ts';
import { AuditQueryError } from '../../errors.ts';
import { COLUMNS, payloadOf, type Row, type Trail } from './trail.ts';

export interface SearchHit {
  readonly kind: AuditKind;
  readonly id: string;
  /** µs since the epoch */
  readonly timestamp: number;
  readonly hostId: string;
  /** The framed record; for an execution or gap an EventBatch of one event */
  readonly payload: Buffer;
}

const MAX_WORDS = 32;
const HAS_TOKEN = /[\p{L}\p{N}_]/u;

/** Returns hits, newest first. Throws AuditQueryError when there is nothing to search for. */
export function search(trail: Trail, text: string, limit: number): SearchHit[] {
  const expression = matchExpression(text);
  const rows = trail.guard(() =>
    trail.db
      .prepare<[string, number], Row>(
        `SELECT ${COLUMNS} FROM search s JOIN records r ON r.record = s.rowid
         WHERE s.search MATCH ? ORDER BY s.rowid DESC LIMIT ?`,
      )
      .all(expression, limit),
  );
  return rows.flatMap((row) => {
    const kind = kindOf(row.kind);
    const { id, timestamp, host: hostId } = row;
    return kind === undefined ? [] : [{ kind, id, timestamp, hostId, payload: payloadOf(row) }];
  });
}

/** Returns an FTS5 expression in which all words must match; a word like `/etc/passwd` is a phrase. */
function matchExpression(text: string): string {
  const words = text.split(/\s+/).filter((word) => HAS_TOKEN.test(word));
  if (words.length === 0)
    throw new AuditQueryError('the search is empty: enter at least one word with a letter or a digit');
  if (words.length > MAX_WORDS)
    throw new AuditQueryError(`the search has ${words.length} words: the limit is ${MAX_WORDS}`);
  return words
    .map((word) => `"${word.replaceAll('"', '""').replaceAll('\0', '')}"${word.endsWith('*') ? '*' : ''}`)
    .join(' ');
}
