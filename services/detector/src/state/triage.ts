import type { Incident, StatusChange } from '@ringfence/wire';

const MAX_HISTORY = 32;
const RESPONDER = 'responder';

/** The decisions of people and of the responder about an incident. */
export interface Triage {
  readonly status: Incident['status'];
  readonly verdict: Incident['verdict'];
  /** Oldest first, bounded */
  readonly history: readonly StatusChange[];
}

export const UNTOUCHED: Triage = { status: 'new', verdict: 'undecided', history: [] };

/** Returns the same object if the change was applied before, or if the responder repeats what is known. */
export function changedTriage(before: Triage, change: StatusChange): Triage {
  const { status, verdict, by, at } = change;
  if (by === RESPONDER && (before.status === 'contained' || before.status === 'closed')) return before;
  if (before.history.some((entry) => entry.at === at && entry.by === by && entry.status === status)) return before;
  return { status, verdict, history: [...before.history, change].slice(-MAX_HISTORY) };
}

/** Returns the triage of a merged chain: the survivor's if it has decisions. A closed part does not close the whole. */
export function mergedTriage(survivor: Triage, absorbed: Triage): Triage {
  if (absorbed.history.length === 0) return survivor;
  const history = [...survivor.history, ...absorbed.history].sort((a, b) => a.at - b.at).slice(-MAX_HISTORY);
  const { status, verdict } = survivor.history.length === 0 && absorbed.status !== 'closed' ? absorbed : survivor;
  return { status, verdict, history };
}
