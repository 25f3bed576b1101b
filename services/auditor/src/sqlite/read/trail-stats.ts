import { type AuditKind, AuditKinds } from '@ringfence/schema';
import type { AuditDrop } from '../../sink.ts';
import { kindOf } from '../chain.ts';
import { readDrops } from '../drops.ts';
import type { Trail } from './trail.ts';

export interface TrailStats {
  /** held now */
  readonly counts: Readonly<Record<AuditKind, number>>;
  readonly dropped: readonly AuditDrop[];
  readonly fileBytes: number;
}

export function statsOf(trail: Trail): TrailStats {
  return trail.guard(() => {
    const counts = Object.fromEntries(AuditKinds.map((kind) => [kind, 0])) as Record<AuditKind, number>;
    const rows = trail.db
      .prepare<[], { kind: number; held: number }>(
        'SELECT kind, sum(head_seq - base_seq) AS held FROM chains GROUP BY kind',
      )
      .all();
    for (const { kind, held } of rows) {
      const name = kindOf(kind);
      if (name !== undefined) counts[name] = held;
    }
    const pages = trail.db.pragma('page_count', { simple: true }) as number;
    const pageBytes = trail.db.pragma('page_size', { simple: true }) as number;
    return { counts, dropped: readDrops(trail.db), fileBytes: pages * pageBytes };
  });
}
