import type { Incident, IncidentAlert, IncidentProcess, JoinedChain, Stage } from '@ringfence/wire';
import { MAX_TECHNIQUES } from '../graph/chain-entries.ts';
import type { Chain, Member } from '../state/chain.ts';
import { leadOf, type RatedAlert, severityOf } from './lead.ts';

/**
 * Returns the incident of several hosts: `opened`, which opened first, and the members of its chain. Each list is a
 * union by id in the order of time, so the order in which members arrived does not matter. `max`: of alerts, and of
 * processes.
 */
export function acrossHosts(opened: Incident, chain: Chain, max: number): Incident {
  const members = [...chain.members.values()].sort(
    (a, b) => a.from.openedAt - b.from.openedAt || (a.from.chainId < b.from.chainId ? -1 : 1),
  );
  const parts = [opened, ...members.map((member) => member.chain)];
  const stages = stagesOf(parts);
  const all = alertsOf(opened, members);
  const { kept: alerts, dropped } = withoutMiddle(all, max);
  return {
    ...opened,
    lead: leadOf(ratedAlerts(all, parts)),
    severity: severityOf(all, stages),
    firstSeen: Math.min(...parts.map(({ firstSeen }) => firstSeen)),
    lastSeen: Math.max(...parts.map(({ lastSeen }) => lastSeen)),
    stages,
    alerts,
    omittedAlerts: dropped + parts.reduce((sum, { omittedAlerts }) => sum + omittedAlerts, 0),
    processes: processesOf(parts, max),
    container: null,
    hosts: [...new Set(parts.map(({ hostId }) => hostId))],
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

function alertsOf(opened: Incident, members: readonly Member[]): IncidentAlert[] {
  const byId = new Map([...members.flatMap(memberAlerts), ...opened.alerts].map((alert) => [alert.id, alert]));
  return [...byId.values()].sort((a, b) => a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1));
}

/** The alert that opened a member belongs to the incident because of the join. */
function memberAlerts({ chain, reason, why }: Member): IncidentAlert[] {
  return chain.alerts.map((alert) => {
    // Detectors of 0.1.0 name no host.
    const placed = alert.hostId === '' ? { ...alert, hostId: chain.hostId } : alert;
    if (placed.reason?.kind !== 'opened') return placed;
    return { ...placed, why, reason: reason === null ? null : { ...reason, mergedChain: chain.id } };
  });
}

/** Detectors of 0.1.0 name no process: then the chain's processes have its executable. */
function ratedAlerts(alerts: readonly IncidentAlert[], parts: readonly Incident[]): RatedAlert[] {
  const executables = new Map(
    parts.flatMap(({ processes }) => processes.map(({ entityId, executable }) => [entityId, executable] as const)),
  );
  return alerts.map(({ rule, priority, tactics, process, entityId }) => ({
    ...{ rule, priority, tactics },
    executable: process?.executable ?? executables.get(entityId) ?? '',
  }));
}

function withoutMiddle<T>(items: readonly T[], max: number): { readonly kept: T[]; readonly dropped: number } {
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

const joinedOf = ({ from, kind, why, at, reason, chain }: Member): JoinedChain => ({
  id: from.chainId,
  hostId: from.hostId,
  hostname: chain.hostname,
  ...{ kind, why, at, reason },
});
