import { type AuditKind, AuditKinds } from '@ringfence/wire';
import { kindOf } from '../../chain.ts';
import type { AuditDrop } from '../../sink.ts';
import { readDrops } from '../drops.ts';
import type { Trail } from './trail.ts';

export interface TrailStats {
  /** Stored records, by kind */
  readonly counts: Readonly<Record<AuditKind, number>>;
  /** Events in the stored batches */
  readonly events: number;
  readonly dropped: readonly AuditDrop[];
  readonly fileBytes: number;
}

export function statsOf(trail: Trail): TrailStats {
  return trail.guard(() => {
    const counts = Object.fromEntries(AuditKinds.map((kind) => [kind, 0])) as Record<AuditKind, number>;
    const rows = trail.db
      .prepare<[], { kind: number; held: number; events: number }>(
        'SELECT kind, sum(head_seq - base_seq) AS held, sum(events) AS events FROM chains GROUP BY kind',
      )
      .all();
    const dropped = readDrops(trail.db);
    let events = dropped.reduce((sum, drop) => sum - drop.events, 0);
    for (const { kind, held, events: stored } of rows) {
      events += stored;
      const name = kindOf(kind);
      if (name !== undefined) counts[name] = held;
    }
    const pages = trail.db.pragma('page_count', { simple: true }) as number;
    const pageBytes = trail.db.pragma('page_size', { simple: true }) as number;
    return { counts, events, dropped, fileBytes: pages * pageBytes };
  });
}
