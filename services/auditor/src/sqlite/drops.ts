import { kindOf } from '../chain.ts';
import type { AuditDrop, AuditDropCause } from '../sink.ts';
import type { Sqlite } from './database.ts';

/** Returns what retention has dropped since the trail was created. */
export function readDrops(db: Sqlite): AuditDrop[] {
  return db
    .prepare<[], { kind: number; cause: AuditDropCause; count: number; events: number; bytes: number }>(
      'SELECT kind, cause, count, events, bytes FROM drops',
    )
    .all()
    .flatMap(({ kind, ...drop }) => {
      const name = kindOf(kind);
      return name === undefined ? [] : [{ kind: name, ...drop }];
    });
}
