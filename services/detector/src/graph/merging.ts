import type { IncidentReason } from '@ringfence/wire';
import { type Chain, hasRoomFor, MAX_ABOVE, MAX_EDGES, MAX_RULES } from '../state/chain.ts';
import { mergedTriage } from '../state/triage.ts';
import { addStage } from './chain-entries.ts';

/** Adds everything of `absorbed` to `survivor` that there is room for, except its keys. */
export function addAllOf(absorbed: Chain, survivor: Chain, maxAlerts: number, reason: IncidentReason): void {
  addAlerts(survivor, absorbed, maxAlerts, reason);
  survivor.firstSeen = Math.min(survivor.firstSeen, absorbed.firstSeen);
  survivor.lastSeen = Math.max(survivor.lastSeen, absorbed.lastSeen);
  survivor.lastKtime = Math.max(survivor.lastKtime, absorbed.lastKtime);
  for (const stage of absorbed.stages) addStage(survivor, stage.tactic, stage.techniques, stage.firstSeen);
  addRules(survivor, absorbed);
  addProcesses(survivor, absorbed);
  survivor.triage = mergedTriage(survivor.triage, absorbed.triage);
  survivor.edges = [...new Set([...survivor.edges, ...absorbed.edges])].slice(0, MAX_EDGES);
  survivor.above = [...new Set([...survivor.above, ...absorbed.above])].slice(0, MAX_ABOVE);
}

/** The alert that opened the absorbed chain belongs to the survivor for the reason of the merge. */
function addAlerts(survivor: Chain, { id, alerts, omitted }: Chain, max: number, merge: IncidentReason): void {
  const room = Math.max(0, max - survivor.alerts.length);
  const added = alerts.slice(0, room);
  for (const alert of added)
    survivor.alerts.push(alert.reason?.kind === 'opened' ? { ...alert, reason: { ...merge, mergedChain: id } } : alert);
  survivor.omitted += omitted + Math.max(0, alerts.length - room);
}

/** If there are too many rules, the ones that matched last are kept. */
function addRules(survivor: Chain, absorbed: Chain): void {
  const rules = new Map(Object.entries(survivor.rules));
  for (const [rule, weight] of Object.entries(absorbed.rules)) {
    const known = rules.get(rule);
    if (known === undefined) rules.set(rule, weight);
    else known.ktime = Math.max(known.ktime, weight.ktime);
  }
  const latest = [...rules].sort(([, a], [, b]) => b.ktime - a.ktime);
  survivor.rules = Object.fromEntries(latest.length > MAX_RULES ? latest.slice(0, MAX_RULES) : rules);
}

/** Keeps the newest image of each process. If there are too many, processes that raised an alert come first. */
function addProcesses(survivor: Chain, absorbed: Chain): void {
  const { alerts, processes } = survivor;
  const actors = new Set(alerts.map(({ entityId }) => entityId));
  const ordered = [...absorbed.processes].sort(([a], [b]) => Number(actors.has(b)) - Number(actors.has(a)));
  for (const [id, process] of ordered) {
    const known = processes.get(id);
    if (known === undefined ? !hasRoomFor(survivor, actors.has(id)) : known.execId >= process.execId) continue;
    processes.set(id, process);
  }
}
