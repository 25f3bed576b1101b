import type { CollectorStats } from '@ringfence/collector';
import type { EnricherServiceStats, InterestGroup } from '@ringfence/enricher';
import { interestContent } from '@ringfence/interest';
import type { ResponderStats } from '@ringfence/responder';
import type { Status } from './status.ts';

/** The interests that hosts filter with, as far as the queried processes know. */
export interface HostInterests {
  /** By version, newest first. */
  readonly groups: readonly InterestGroup[];
  /** Version that hosts should filter with; null when no queried process knows it. */
  readonly current: number | null;
}

/** Returns null when none of the processes runs an enricher. */
export function interestsOf(statuses: readonly Status[]): HostInterests | null {
  const services = statuses.flatMap((status) => status.services);
  const statsOf = <S>(name: string): S[] =>
    services.filter((service) => service.name === name).map(({ stats }) => stats as S);
  const enrichers = statsOf<EnricherServiceStats>('enricher');
  if (enrichers.length === 0) return null;
  // A single process sets its agent's interest; in a fleet the responders send it. Simulated hosts have no version.
  const agents = statuses.length === 1 ? statsOf<Partial<CollectorStats>>('collector') : [];
  const sent = [...agents, ...statsOf<ResponderStats>('responder')].map(({ interestVersion = 0 }) => interestVersion);
  const current = Math.max(0, ...sent);
  return { groups: mergeGroups(enrichers.map(({ interests }) => interests)), current: current === 0 ? null : current };
}

/** Adds up the hosts of all enrichers. Versions with equal content are one group, under the newest version. */
function mergeGroups(groups: readonly (readonly InterestGroup[])[]): InterestGroup[] {
  const merged = new Map<number, InterestGroup>();
  for (const { version, hosts, some } of groups.flat()) {
    const content = version === 0 ? -1 : interestContent(version);
    const group = merged.get(content) ?? { version, hosts: 0, some: [] };
    const newest = Math.max(version, group.version);
    merged.set(content, { version: newest, hosts: group.hosts + hosts, some: [...group.some, ...some] });
  }
  return [...merged.values()].sort((a, b) => b.version - a.version);
}
