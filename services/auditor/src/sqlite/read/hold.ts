import type { Hold } from '../../hold.ts';
import type { Sqlite } from '../database.ts';

/** Returns the hold of an incident; null when nobody has asked for one. */
export function storedHold(db: Sqlite, incident: string): Hold | null {
  if (!hasHolds(db)) return null;
  const select = db.prepare<[string], Hold>('SELECT incident, state, reason, action, at FROM holds WHERE incident = ?');
  return select.get(incident) ?? null;
}

export const storedHolds = (db: Sqlite): Hold[] =>
  hasHolds(db) ? db.prepare<[], Hold>('SELECT incident, state, reason, action, at FROM holds').all() : [];

/** A trail of before holds has no such table until an auditor of this version opens it. */
const hasHolds = (db: Sqlite): boolean =>
  db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'holds'").get() !== undefined;
