/**
 * The consequence of a thrown error. `retriable`: the same batch again, after a pause. `poison`: that record goes to the dead letters. `fatal`: a
 * bug; the process stops, and the batch comes again at the next start.
 */
export type Fate = 'retriable' | 'poison' | 'fatal';

/** Returns the `fate` that an error carries; an error without one is fatal. */
export function fateOf(error: unknown): Fate {
  const fate = error instanceof Error && 'fate' in error ? error.fate : undefined;
  return fate === 'retriable' || fate === 'poison' ? fate : 'fatal';
}
