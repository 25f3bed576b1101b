import { type AuditKind, AuditKinds, topics } from '@ringfence/wire';

/** Compacted topics: gaps between their offsets are normal. */
export const COMPACTED_TOPICS: ReadonlySet<string> = new Set(
  topics.filter(({ compacted }) => compacted).map(({ name }) => name),
);

/** Counts of one write, or of all writes. */
export interface Tally {
  readonly stored: Record<AuditKind, number>;
  events: number;
  duplicates: number;
  conflicts: number;
  missed: number;
  payloadBytes: number;
  storedBytes: number;
}

export function emptyTally(): Tally {
  const stored = Object.fromEntries(AuditKinds.map((kind) => [kind, 0])) as Record<AuditKind, number>;
  return { stored, events: 0, duplicates: 0, conflicts: 0, missed: 0, payloadBytes: 0, storedBytes: 0 };
}

export function addTally(total: Tally, added: Tally): void {
  for (const kind of AuditKinds) total.stored[kind] += added.stored[kind];
  total.events += added.events;
  total.duplicates += added.duplicates;
  total.conflicts += added.conflicts;
  total.missed += added.missed;
  total.payloadBytes += added.payloadBytes;
  total.storedBytes += added.storedBytes;
}
