import type { ProcessInfo } from '@ringfence/wire';
import { MAX_ANCESTORS } from '../field.ts';

/** Member of a process that names the leader of its process group or of its session. */
export type Led = 'processGroup' | 'processSession';

/**
 * Returns the eldest of the process and its ancestors that are in the same group or session one after the other: the
 * leader, unless it has ended. Numbers are compared within a pid namespace.
 */
export function leaderOf(process: ProcessInfo | undefined, led: Led): ProcessInfo | undefined {
  if (process === undefined || process.raw[led] === 0) return undefined;
  const { [led]: number, namespaces } = process.raw;
  let eldest = process;
  for (let above = process.parent, n = 0; above !== undefined && n < MAX_ANCESTORS; above = above.parent, n++) {
    if (above.raw[led] !== number || above.raw.namespaces.pid !== namespaces.pid) break;
    eldest = above;
  }
  return eldest;
}
