import { interestContent } from '@ringfence/interest';

/** Hosts whose last batches name the same version of the interest. */
export interface InterestGroup {
  /** 0: these hosts have no interest and send everything */
  readonly version: number;
  readonly hosts: number;
  /** ids of at most 20 of them */
  readonly some: readonly string[];
}

const SHOWN = 20;

/** Groups hosts by their interest, the newest version first. Versions with the same content form one group. */
export function groupInterests(versions: Iterable<readonly [hostId: string, version: number]>): InterestGroup[] {
  const groups = new Map<number, { version: number; hosts: number; some: string[] }>();
  for (const [hostId, version] of versions) {
    // Version 0 means no interest, which has no content to compare.
    const content = version === 0 ? -1 : interestContent(version);
    const group = groups.get(content) ?? { version, hosts: 0, some: [] };
    groups.set(content, group);
    group.version = Math.max(group.version, version);
    group.hosts++;
    if (group.some.length < SHOWN) group.some.push(hostId);
  }
  return [...groups.values()].sort((a, b) => b.version - a.version);
}

/** Returns the number of hosts whose interest is not the newest. */
export const hostsBehind = ([, ...older]: readonly InterestGroup[]): number =>
  older.reduce((sum, { hosts }) => sum + hosts, 0);
