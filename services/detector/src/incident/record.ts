import {
  encode,
  encodeSigned,
  type Incident,
  type IncidentProcess,
  type IncidentState,
  type SigningKey,
  UNSIGNED,
  u64FromBigInt,
} from '@ringfence/wire';
import type { Chain, ChainAlert, ChainContainer } from '../state/chain.ts';
import { fold, type Names, placed } from './across-hosts.ts';
import { severityOf, titleOf } from './title.ts';
import { clock, storyOf } from './words.ts';

const MAX_BYTES = 900_000;
/** Of what goes to the incident of another host, which has to hold many of them. */
const MAX_SHARED_BYTES = 200_000;
const MAX_PROCESSES = 256;
/** Alerts and processes of all hosts of an incident. */
const MAX_FOLDED = 400;

/** The framed Incident with all its members, whole and under 900 kB: alerts of the middle are left out, and counted, until it is. */
export function encodeIncident(
  chain: Chain,
  state: IncidentState,
  mergedInto: string,
  host: Names,
  score: number,
  key: SigningKey | null,
): Buffer {
  for (const record of sizesOf(chain, { state, mergedInto, score }, host)) {
    const bytes = encodeSigned('Incident', record, key);
    if (bytes.length <= MAX_BYTES || isSmallest(record)) return bytes;
  }
  throw new RangeError('an incident does not get smaller');
}

/** What a chain does not say of itself; the score is of the chain with its members. */
type Standing = Pick<Incident, 'state' | 'mergedInto' | 'score'>;

function* sizesOf(chain: Chain, standing: Standing, host: Names): Generator<Incident> {
  if (chain.members.size === 0) return yield* shrinking(chain, standing);
  const own = incidentOf(chain, chain.alerts, MAX_PROCESSES, standing);
  for (let max = MAX_FOLDED; max > 0; max >>>= 1) yield fold(own, chain, host, max);
  yield fold(own, chain, host, 0);
}

/** The chain alone, for the incident of another host that it is part of. */
export function shared(chain: Chain, host: Names, score: number): Incident {
  const standing: Standing = { state: 'merged', mergedInto: chain.survivor?.chainId ?? '', score };
  for (const record of shrinking(chain, standing)) {
    if (encode('Incident', record).length > MAX_SHARED_BYTES && !isSmallest(record)) continue;
    // What was absorbed is part of it: whoever has that as well lets go of it.
    const joined = chain.absorbed.map((id) => ({ id, hostId: chain.hostId, kind: 'absorbed', why: '', at: 0 }));
    return { ...record, joined, story: record.story.map((line) => placed(line, host)) };
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
  { state, mergedInto, score }: Standing,
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
    score: rounded(score),
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
    container: container === null ? null : incidentContainer(container),
    story: storyOf(alerts),
    hosts: [],
    joined: [],
    ...chain.triage,
    ...UNSIGNED,
  };
}

/** What a chain doesn't keep of it stands in its alerts. */
function incidentContainer(container: ChainContainer): NonNullable<Incident['container']> {
  return {
    imageId: '',
    imageDigests: [],
    capabilities: null,
    mounts: [],
    namespaces: [],
    pod: '',
    podUid: '',
    namespace: '',
    serviceAccount: '',
    podLabels: {},
    startedAt: 0,
    described: true,
    ...container,
    cgroupId: u64FromBigInt(BigInt(`0x${container.cgroupId}`)),
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
