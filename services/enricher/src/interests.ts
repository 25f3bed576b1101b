import { sameInterest } from '@ringfence/schema';

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
  const groups: { version: number; hosts: number; some: string[] }[] = [];
  for (const [hostId, version] of versions) {
    let group = groups.find((one) => isSame(one.version, version));
    if (group === undefined) {
      group = { version, hosts: 0, some: [] };
      groups.push(group);
    }
    group.version = Math.max(group.version, version);
    group.hosts++;
    if (group.some.length < SHOWN) group.some.push(hostId);
  }
  return groups.sort((a, b) => b.version - a.version);
}

/** Of those who filter with anything else than the newest. */
export const hostsBehind = ([, ...older]: readonly InterestGroup[]): number =>
  older.reduce((sum, { hosts }) => sum + hosts, 0);

/** None is only the same as none. */
const isSame = (one: number, other: number): boolean =>
  one === 0 || other === 0 ? one === other : sameInterest(one, other);
