import { join } from 'node:path';
import { AuditReader } from '@ringfence/auditor';
import { KIND, LANE, leaf } from '@ringfence/wire';
import { type Account, Ledger } from './ledger.ts';

/** Counts the events in the audit trail of an agent that was stopped, one by one. */
export function accountOf(stateDir: string): Account {
  using trail = new AuditReader(join(stateDir, 'audit.db'));
  const ledger = new Ledger();
  for (const { cursor, head, index } of trail.events()) {
    if (index === 0) ledger.counters(cursor.ktime, head.lanes);
    if (cursor.lane <= LANE.bulk) ledger.event(cursor.lane, cursor.cpu, cursor.sequence);
    else if (cursor.kind === KIND.Gap && cursor.leafLong(leaf.Gap.ofLane) <= LANE.bulk)
      ledger.gap(cursor.leafLong(leaf.Gap.from), cursor.leafLong(leaf.Gap.to));
  }
  return ledger.account();
}
