import {
  encode,
  encodeSigned,
  type Incident,
  type IncidentAlert,
  type IncidentProcess,
  type IncidentState,
  NO_CONTAINER_DETAILS,
  type SigningKey,
  UNSIGNED,
  u64FromBigInt,
} from '@ringfence/wire';
import type { Chain, ChainAlert, ChainContainer } from '../state/chain.ts';
import { acrossHosts } from './across-hosts.ts';
import { leadOf, type RatedAlert, severityOf } from './lead.ts';

const MAX_BYTES = 900_000;
/** Limit of a chain that is sent to another host, whose incident may have many members */
const MAX_SHARED_BYTES = 200_000;
const MAX_PROCESSES = 256;
/** Alerts, and processes, of all hosts of an incident */
const MAX_ACROSS_HOSTS = 400;

/** Returns the framed Incident with all its members, under 900 kB: it omits alerts from the middle until it fits. */
export function encodeIncident(
  chain: Chain,
  state: IncidentState,
  mergedInto: string,
  hostname: string,
  score: number,
  key: SigningKey | null,
): Buffer {
  for (const record of sizesOf(chain, { state, mergedInto, score, hostname })) {
    const bytes = encodeSigned('Incident', record, key);
    if (bytes.length <= MAX_BYTES || isSmallest(record)) return bytes;
  }
  throw new RangeError('an incident does not get smaller');
}

/** The part of an incident that its chain does not have. The score is that of the chain with its members. */
type Standing = Pick<Incident, 'state' | 'mergedInto' | 'score' | 'hostname'>;

function* sizesOf(chain: Chain, standing: Standing): Generator<Incident> {
  if (chain.members.size === 0) return yield* shrinking(chain, standing);
  const opened = incidentOf(chain, chain.alerts, MAX_PROCESSES, standing);
  for (let max = MAX_ACROSS_HOSTS; max > 0; max >>>= 1) yield acrossHosts(opened, chain, max);
  yield acrossHosts(opened, chain, 0);
}

/** Returns the chain alone, for the incident of another host that it is part of. */
export function sharedChain(chain: Chain, hostname: string, score: number): Incident {
  const standing: Standing = { state: 'merged', mergedInto: chain.survivor?.chainId ?? '', score, hostname };
  for (const record of shrinking(chain, standing)) {
    if (encode('Incident', record).length > MAX_SHARED_BYTES && !isSmallest(record)) continue;
    // The receiver drops members that have been merged into this chain since.
    const merged = { hostId: chain.hostId, hostname, kind: 'absorbed', why: '', at: 0, reason: null };
    return { ...record, joined: chain.mergedIds.map((id) => ({ id, ...merged })) };
  }
  throw new RangeError('an incident does not get smaller');
}

const rounded = (score: number): number => Math.round(score * 10) / 10;
const isSmallest = ({ alerts, processes }: Incident): boolean => alerts.length <= 2 && processes.length === 0;

function* shrinking(chain: Chain, standing: Standing): Generator<Incident> {
  let alerts = chain.alerts;
  for (let processes = MAX_PROCESSES; ; processes >>>= 1) {
    const record = incidentOf(chain, alerts, processes, standing);
    yield record;
    if (isSmallest(record)) return;
    if (alerts.length <= 2) continue;
    const quarter = Math.ceil(alerts.length / 4);
    alerts = [...alerts.slice(0, quarter), ...alerts.slice(-quarter)];
  }
}

function incidentOf(
  chain: Chain,
  alerts: readonly ChainAlert[],
  maxProcesses: number,
  { state, mergedInto, score, hostname }: Standing,
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
    title: '',
    severity: severityOf(chain.alerts, chain.stages),
    score: rounded(score),
    firstSeen: chain.firstSeen,
    lastSeen: chain.lastSeen,
    stages: chain.stages,
    alerts: alerts.map((alert) => incidentAlert(chain.hostId, alert)),
    omittedAlerts: chain.omitted + unlisted + repeats,
    processes: processesOf(chain, alerts, maxProcesses),
    container: container === null ? null : incidentContainer(container),
    story: [],
    hosts: [],
    joined: [],
    hostname,
    lead: leadOf(chain.alerts.map(ratedAlert)),
    ...chain.triage,
    ...UNSIGNED,
  };
}

const ratedAlert = ({ rule, priority, tactics, process }: ChainAlert): RatedAlert => ({
  ...{ rule, priority, tactics },
  executable: process?.executable ?? '',
});

function incidentAlert(hostId: string, alert: ChainAlert): IncidentAlert {
  const { id, rule, priority, tactics, techniques, timestamp, entityId, output } = alert;
  const { process, container, action, reason, why, count, lastTimestamp, target } = alert;
  return {
    ...{ id, rule, priority, tactics, techniques, timestamp, entityId, output },
    ...{ hostId, process, action, reason, why, count, lastTimestamp, target },
    containerId: container?.id ?? '',
    containerName: container?.name ?? '',
  };
}

/** A chain does not keep the other facts of a container; its alerts have them. */
function incidentContainer(container: ChainContainer): NonNullable<Incident['container']> {
  return {
    ...NO_CONTAINER_DETAILS,
    described: true,
    ...container,
    cgroupId: u64FromBigInt(BigInt(`0x${container.cgroupId}`)),
  };
}

/** Returns the processes of the alerts and then those that link them, as many as there is room for. */
function processesOf(chain: Chain, alerts: readonly ChainAlert[], max: number): IncidentProcess[] {
  const actors = new Set(alerts.map(({ entityId }) => entityId));
  const all = [...chain.processes.values()];
  const chosen = [
    ...all.filter(({ entityId }) => actors.has(entityId)),
    ...all.filter(({ entityId }) => !actors.has(entityId)),
  ];
  return chosen.slice(0, max).map(({ execId: _, ...process }) => process);
}

/** Returns the container of all alerts; null if they have none in common. */
function sharedContainer(alerts: readonly ChainAlert[]): ChainContainer | null {
  const [first] = alerts;
  const container = first?.container ?? null;
  return container !== null && alerts.every((alert) => alert.container?.id === container.id) ? container : null;
}
