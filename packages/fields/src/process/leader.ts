import { type ProcessInfo, processLeaf } from '@ringfence/wire';
import { MAX_ANCESTORS } from '../field.ts';

/** Member of a process that names the leader of its process group or of its session. */
export type Led = 'processGroup' | 'processSession';

/**
 * Returns the eldest of the process and its ancestors that are in the same group or session one after the other: the
 * leader, unless it has ended. Numbers are compared within a pid namespace.
 */
export function leaderOf(process: ProcessInfo | undefined, led: Led): ProcessInfo | undefined {
  const number = process?.long(processLeaf[led]) ?? 0;
  if (process === undefined || number === 0) return undefined;
  const namespace = process.long(processLeaf.namespaces.pid);
  let eldest = process;
  for (let above = process.parent, n = 0; above !== undefined && n < MAX_ANCESTORS; above = above.parent, n++) {
    if (above.long(processLeaf[led]) !== number || above.long(processLeaf.namespaces.pid) !== namespace) break;
    eldest = above;
  }
  return eldest;
}
