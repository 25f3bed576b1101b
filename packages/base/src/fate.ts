/**
 * The consequence of a thrown error. `retriable`: the batch is retried after a pause. `poison`: the record becomes a
 * dead letter. `fatal`: a bug; the process stops, and the batch is redelivered at the next start.
 */
export type Fate = 'retriable' | 'poison' | 'fatal';

/** Returns the `fate` that an error carries; an error without one is fatal. */
export function fateOf(error: unknown): Fate {
  const fate = error instanceof Error && 'fate' in error ? error.fate : undefined;
  return fate === 'retriable' || fate === 'poison' ? fate : 'fatal';
}
