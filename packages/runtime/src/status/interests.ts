import type { CollectorStats } from '@ringfence/collector';
import type { EnricherServiceStats, InterestGroup } from '@ringfence/enricher';
import { interestContent } from '@ringfence/interest';
import type { ResponderStats } from '@ringfence/responder';
import type { Status } from './status.ts';

/** What hosts filter with, as far as the processes that were asked know. */
export interface HostInterests {
  /** by version, the newest first */
  readonly groups: readonly InterestGroup[];
  /** what they should filter with; null: none of the processes says so, the newest version is what is known of it */
  readonly current: number | null;
}

/** null: none of them has an enricher. */
export function interestsOf(statuses: readonly Status[]): HostInterests | null {
  const services = statuses.flatMap((status) => status.services);
  const statsOf = <S>(name: string): S[] => services.filter((one) => one.name === name).map(({ stats }) => stats as S);
  const enrichers = statsOf<EnricherServiceStats>('enricher');
  if (enrichers.length === 0) return null;
  // Of a process by itself its agent has been told; in a fleet the responders tell. What has no number of its own isn't an agent.
  const agents = statuses.length === 1 ? statsOf<Partial<CollectorStats>>('collector') : [];
  const told = [...agents, ...statsOf<ResponderStats>('responder')].map(({ interestVersion = 0 }) => interestVersion);
  const current = Math.max(0, ...told);
  return { groups: joinGroups(enrichers.map(({ interests }) => interests)), current: current === 0 ? null : current };
}

/** Each enricher has hosts of its own, and may have heard another version that asks for the same. */
function joinGroups(all: readonly (readonly InterestGroup[])[]): InterestGroup[] {
  const joined = new Map<number, InterestGroup>();
  for (const { version, hosts, some } of all.flat()) {
    const content = version === 0 ? -1 : interestContent(version);
    const known = joined.get(content) ?? { version, hosts: 0, some: [] };
    const newest = Math.max(version, known.version);
    joined.set(content, { version: newest, hosts: known.hosts + hosts, some: [...known.some, ...some] });
  }
  return [...joined.values()].sort((a, b) => b.version - a.version);
}
