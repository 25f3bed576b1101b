import { interestContent } from '@ringfence/interest';

/** Hosts whose last batches name the same version of the interest. */
export interface InterestGroup {
  /** 0: they filter by none, and send everything */
  readonly version: number;
  readonly hosts: number;
  /** the ids of some of them */
  readonly some: readonly string[];
}

const SHOWN = 20;

/** Hosts by what they filter with, the newest version first. Versions that ask for the same are one. */
export function groupInterests(versions: Iterable<readonly [hostId: string, version: number]>): InterestGroup[] {
  const groups = new Map<number, { version: number; hosts: number; some: string[] }>();
  for (const [hostId, version] of versions) {
    // None is only the same as none.
    const content = version === 0 ? -1 : interestContent(version);
    const group = groups.get(content) ?? { version, hosts: 0, some: [] };
    groups.set(content, group);
    group.version = Math.max(group.version, version);
    group.hosts++;
    if (group.some.length < SHOWN) group.some.push(hostId);
  }
  return [...groups.values()].sort((a, b) => b.version - a.version);
}

/** Of those who filter with anything else than the newest. */
export const hostsBehind = ([, ...older]: readonly InterestGroup[]): number =>
  older.reduce((sum, { hosts }) => sum + hosts, 0);
