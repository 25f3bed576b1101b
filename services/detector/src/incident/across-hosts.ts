import type { Incident, IncidentAlert, IncidentProcess, JoinedChain, Stage } from '@ringfence/wire';
import { MAX_TECHNIQUES } from '../graph/chain-entries.ts';
import type { Chain, Member } from '../state/chain.ts';
import { severityOf, titleOf } from './title.ts';
import { clock, OPENED } from './words.ts';

const DAY_S = 86_400;

/** What a host is called in words. */
export interface Names {
  readonly id: string;
  readonly hostname: string;
}

const called = ({ id, hostname }: Names): string => (hostname === '' ? id : hostname);

/** A line of a story with the host it is of: "14:02:11 on db-1: root ran ..." */
export const placed = (line: string, host: Names): string =>
  `${line.slice(0, CLOCK)} on ${called(host)}:${line.slice(CLOCK)}`;
const CLOCK = 'HH:MM:SS'.length;

/**
 * An incident of several hosts: `own`, the chain that opened first, and its members. Everything is a union by id in the order of time, so it does not matter
 * in which order the members came. `max`: alerts, processes and lines of the story each.
 */
export function fold(own: Incident, chain: Chain, host: Names, max: number): Incident {
  const members = [...chain.members.values()].sort(
    (a, b) => a.from.openedAt - b.from.openedAt || (a.from.chainId < b.from.chainId ? -1 : 1),
  );
  const parts = [own, ...members.map((member) => member.chain)];
  const executables = new Map(chain.alerts.map(({ id, executable }) => [id, executable]));
  for (const { alerts, processes } of parts.slice(1)) {
    const byId = new Map(processes.map(({ entityId, executable }) => [entityId, executable]));
    for (const { id, entityId } of alerts) executables.set(id, byId.get(entityId) ?? '');
  }
  const stages = stagesOf(parts);
  const all = alertsOf(own, members);
  const { kept: alerts, dropped } = middleCut(all, max);
  const rated = all.map((alert) => ({ ...alert, executable: executables.get(alert.id) ?? '' }));
  const hosts = [...new Set(parts.map(({ hostId }) => hostId))];
  return {
    ...own,
    title: `${titleOf({ alerts: rated, stages }, null)}, on ${hosts.length} hosts`,
    severity: severityOf({ alerts: rated, stages }),
    firstSeen: Math.min(...parts.map(({ firstSeen }) => firstSeen)),
    lastSeen: Math.max(...parts.map(({ lastSeen }) => lastSeen)),
    stages,
    alerts,
    omittedAlerts: dropped + parts.reduce((sum, { omittedAlerts }) => sum + omittedAlerts, 0),
    processes: processesOf(parts, max),
    container: null,
    story: middleCut(storyOf(own, members, host), max).kept,
    hosts,
    joined: members.map(joinedOf),
  };
}

function stagesOf(parts: readonly Incident[]): Stage[] {
  const byTactic = new Map<string, Stage>();
  for (const { tactic, techniques, firstSeen } of parts.flatMap(({ stages }) => stages)) {
    const known = byTactic.get(tactic);
    byTactic.set(tactic, {
      tactic,
      techniques: [...new Set([...(known?.techniques ?? []), ...techniques])].slice(0, MAX_TECHNIQUES),
      firstSeen: Math.min(firstSeen, known?.firstSeen ?? firstSeen),
    });
  }
  return [...byTactic.values()].sort((a, b) => a.firstSeen - b.firstSeen || (a.tactic < b.tactic ? -1 : 1));
}

function alertsOf(own: Incident, members: readonly Member[]): IncidentAlert[] {
  const told = members.flatMap(({ chain, why }) =>
    chain.alerts.map((alert) => ({
      ...alert,
      why: alert.why === OPENED ? `opened ${chain.id}, part of this incident: ${why}` : alert.why,
    })),
  );
  const byId = new Map([...told, ...own.alerts].map((alert) => [alert.id, alert]));
  return [...byId.values()].sort((a, b) => a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1));
}

function middleCut<T>(items: readonly T[], max: number): { readonly kept: T[]; readonly dropped: number } {
  if (items.length <= max) return { kept: [...items], dropped: 0 };
  const half = max >>> 1;
  const kept = [...items.slice(0, half), ...items.slice(items.length - half)];
  return { kept, dropped: items.length - kept.length };
}

function processesOf(parts: readonly Incident[], max: number): IncidentProcess[] {
  const byId = new Map<string, IncidentProcess>();
  for (const process of parts.flatMap(({ processes }) => processes))
    if (!byId.has(process.entityId) && byId.size < max) byId.set(process.entityId, process);
  return [...byId.values()];
}

const joinedOf = ({ from, kind, why, at }: Member): JoinedChain => ({
  id: from.chainId,
  hostId: from.hostId,
  kind,
  why,
  at,
});

interface Line {
  /** s since the epoch */
  readonly at: number;
  readonly text: string;
}

function storyOf(own: Incident, members: readonly Member[], host: Names): string[] {
  const ties = members.map(({ why, at }) => ({ at: Math.floor(at / 1_000_000), text: `${clock(at)} ${why}` }));
  const lines = [
    ...timed(own.story, own.firstSeen).map(({ at, text }) => ({ at, text: placed(text, host) })),
    ...ties,
    ...members.flatMap(({ chain }) => timed(chain.story, chain.firstSeen)),
  ];
  return [...new Set(lines.sort((a, b) => a.at - b.at).map(({ text }) => text))];
}

/** A story's lines say the time of day alone; they are in order, so the day follows from where it starts. */
function timed(story: readonly string[], firstSeen: number): Line[] {
  let day = Math.floor(firstSeen / 1_000_000 / DAY_S) * DAY_S;
  let last = 0;
  return story.map((text) => {
    const [h = 0, m = 0, s = 0] = text.slice(0, CLOCK).split(':').map(Number);
    const second = h * 3600 + m * 60 + s;
    if (second < last) day += DAY_S;
    last = second;
    return { at: day + second, text };
  });
}
