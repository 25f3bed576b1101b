import type { Accepted, Acceptor, EdgeEnd } from '../state/edge-ends.ts';

/** A process that serves a connection starts within this time of the accept, µs. */
export const STARTED_WITHIN_US = 5_000_000;
/** Times of two events of one host may be in the wrong order by this much, µs. */
export const JITTER_US = 1000;
/** How long ago a process may have accepted the only connection, which it serves itself, µs. */
const SERVED_WITHIN_US = 60_000_000;

/**
 * Returns the accepted connection that a process was started for at `start`. A listener starts one process for each
 * connection, at once; of any other server, only a single open connection is certain.
 */
export function acceptedFor(
  accepts: readonly Accepted[],
  start: number,
  isListener: boolean,
): Accepted | 'ambiguous' | undefined {
  const waiting = accepts.filter(
    ({ by, ktime }) => by === '' && ktime <= start + JITTER_US && ktime >= start - STARTED_WITHIN_US,
  );
  if (waiting.length <= 1 || isListener) return waiting.at(-1);
  return 'ambiguous';
}

/** Returns the connection of a process that serves connections itself, if it accepted exactly one lately. */
export function onlyAccept({ accepts }: Acceptor, ktime: number): EdgeEnd | undefined {
  const recent = accepts.filter((accept) => accept.ktime <= ktime && accept.ktime >= ktime - SERVED_WITHIN_US);
  return recent.length === 1 ? recent[0]?.end : undefined;
}
