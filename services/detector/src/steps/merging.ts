import { type Chain, hasRoomFor, MAX_ABOVE, MAX_EDGES, MAX_RULES } from '../state/chain.ts';
import { addStage } from './chain-entries.ts';
import { bothOf } from './triage.ts';
import { OPENED, partOfThis } from './words.ts';

/** All that `absorbed` has goes to `survivor`, as far as there is room; its keys are the host's. `why`: in plain words. */
export function merge(survivor: Chain, absorbed: Chain, maxAlerts: number, why: string): void {
  addAlerts(survivor, absorbed, maxAlerts, why);
  survivor.firstSeen = Math.min(survivor.firstSeen, absorbed.firstSeen);
  survivor.lastSeen = Math.max(survivor.lastSeen, absorbed.lastSeen);
  survivor.lastKtime = Math.max(survivor.lastKtime, absorbed.lastKtime);
  for (const stage of absorbed.stages) addStage(survivor, stage.tactic, stage.techniques, stage.firstSeen);
  addRules(survivor, absorbed);
  addProcesses(survivor, absorbed);
  survivor.triage = bothOf(survivor.triage, absorbed.triage);
  survivor.edges = [...new Set([...survivor.edges, ...absorbed.edges])].slice(0, MAX_EDGES);
  survivor.above = [...new Set([...survivor.above, ...absorbed.above])].slice(0, MAX_ABOVE);
}

function addAlerts(survivor: Chain, { id, alerts, omitted }: Chain, max: number, reason: string): void {
  const room = Math.max(0, max - survivor.alerts.length);
  const told = (why: string): string => (why === OPENED ? partOfThis(id, reason) : why);
  survivor.alerts.push(...alerts.slice(0, room).map((alert) => ({ ...alert, why: told(alert.why) })));
  survivor.omitted += omitted + Math.max(0, alerts.length - room);
}

/** Those that matched last stay when there are too many. */
function addRules(survivor: Chain, absorbed: Chain): void {
  const rules = new Map(Object.entries(survivor.rules));
  for (const [rule, weight] of Object.entries(absorbed.rules)) {
    const own = rules.get(rule);
    if (own === undefined) rules.set(rule, weight);
    else own.ktime = Math.max(own.ktime, weight.ktime);
  }
  const latest = [...rules].sort(([, a], [, b]) => b.ktime - a.ktime);
  survivor.rules = Object.fromEntries(latest.length > MAX_RULES ? latest.slice(0, MAX_RULES) : rules);
}

/** As each was after its latest exec; of too many those that raised something first. */
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
