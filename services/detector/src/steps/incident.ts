import {
  encode,
  type Incident,
  type IncidentProcess,
  type IncidentState,
  Priorities,
  type Priority,
  UNSIGNED,
  u64FromBigInt,
} from '@ringfence/schema';
import type { Chain, ChainAlert, ChainContainer } from '../state/chain.ts';
import { scoreAt } from './score.ts';
import { clock, spaced, storyOf } from './words.ts';

const MAX_BYTES = 900_000;
const MAX_PROCESSES = 256;
const TITLE_PARTS = 5;

/** The framed Incident, whole and under 900 kB: alerts of the middle are left out, and counted, until it is. */
export function encodeIncident(chain: Chain, state: IncidentState, mergedInto = ''): Buffer {
  let alerts = chain.alerts;
  for (let processes = MAX_PROCESSES; ; processes >>>= 1) {
    const bytes = encode('Incident', incidentOf(chain, alerts, processes, state, mergedInto));
    if (bytes.length <= MAX_BYTES || (alerts.length <= 2 && processes === 0)) return bytes;
    if (alerts.length <= 2) continue;
    const quarter = Math.ceil(alerts.length / 4);
    alerts = [...alerts.slice(0, quarter), ...alerts.slice(-quarter)];
  }
}

function incidentOf(
  chain: Chain,
  alerts: readonly ChainAlert[],
  maxProcesses: number,
  state: IncidentState,
  mergedInto: string,
): Incident {
  const listed = new Set(alerts);
  const unlisted = chain.alerts.filter((alert) => !listed.has(alert)).length;
  const repeats = chain.alerts.reduce((sum, { count }) => sum + count - 1, 0);
  const container = sharedContainer(chain.alerts);
  return {
    id: chain.id,
    version: chain.version,
    state,
    mergedInto,
    hostId: chain.hostId,
    title: titleOf(chain, container),
    severity: severityOf(chain),
    score: Math.round(scoreAt(chain, chain.lastKtime) * 10) / 10,
    firstSeen: chain.firstSeen,
    lastSeen: chain.lastSeen,
    stages: chain.stages,
    alerts: alerts.map((alert) => ({
      id: alert.id,
      rule: alert.rule,
      priority: alert.priority,
      tactics: alert.tactics,
      timestamp: alert.timestamp,
      entityId: alert.entityId,
      output: alert.output,
      why:
        alert.why + (alert.count === 1 ? '' : `; ${alert.count - 1} more like it until ${clock(alert.lastTimestamp)}`),
    })),
    omittedAlerts: chain.omitted + unlisted + repeats,
    processes: processesOf(chain, alerts, maxProcesses),
    container: container === null ? null : { ...container, cgroupId: u64FromBigInt(BigInt(`0x${container.cgroupId}`)) },
    story: storyOf(alerts),
    hosts: [],
    joined: [],
    ...UNSIGNED,
  };
}

/** Those of the alerts first, then what ties them, as far as there is room. */
function processesOf(chain: Chain, alerts: readonly ChainAlert[], max: number): IncidentProcess[] {
  const actors = new Set(alerts.map(({ entityId }) => entityId));
  const all = [...chain.processes.values()];
  const chosen = [
    ...all.filter(({ entityId }) => actors.has(entityId)),
    ...all.filter(({ entityId }) => !actors.has(entityId)),
  ];
  return chosen.slice(0, max).map(({ execId: _, ...process }) => process);
}

/** The container of all alerts; null when they are not all of one. */
function sharedContainer(alerts: readonly ChainAlert[]): ChainContainer | null {
  const [first] = alerts;
  const container = first?.container ?? null;
  return container !== null && alerts.every((alert) => alert.container?.id === container.id) ? container : null;
}

const rank = (priority: Priority): number => Priorities.indexOf(priority);

/** That of the worst alert; three distinct tactics are critical whatever they are. */
function severityOf(chain: Chain): Priority {
  const worst = chain.alerts.reduce<Priority>(
    (most, { priority }) => (rank(priority) > rank(most) ? priority : most),
    'debug',
  );
  return chain.stages.length >= 3 && rank(worst) < rank('critical') ? 'critical' : worst;
}

/** "Reverse shell, persistence and credential access by /bin/sh in container web-1 (image debug:1)" */
function titleOf(chain: Chain, container: ChainContainer | null): string {
  const worst = chain.alerts.reduce((most, alert) => (rank(alert.priority) > rank(most.priority) ? alert : most));
  const others = chain.stages.map(({ tactic }) => tactic).filter((tactic) => !worst.tactics.includes(tactic));
  const parts = [worst.rule, ...others.map(spaced)];
  const shown =
    parts.length > TITLE_PARTS ? [...parts.slice(0, TITLE_PARTS - 1), `${parts.length - TITLE_PARTS + 1} more`] : parts;
  const what = shown.length === 1 ? shown[0] : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
  const by = worst.executable === '' ? '' : ` by ${worst.executable.slice(0, 128)}`;
  if (container === null) return `${what}${by}`;
  const name = container.name === '' ? container.id.slice(0, 12) : container.name;
  return `${what}${by} in container ${name}${container.image === '' ? '' : ` (image ${container.image})`}`;
}
