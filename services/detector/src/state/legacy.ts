/**
 * Reads state entries that 0.1.0 wrote as JSON. Remove this file, its test and its fixtures once no installation
 * upgrades from 0.1.0; each entry becomes Avro with its first change.
 */
import type { LegacyConverters } from '@ringfence/service-kit';
import { incidentId, type StateMemory } from '@ringfence/wire';
import { OPENED } from '../incident/reasons.ts';
import { memoryRecord } from './tables.ts';

interface OldEnd {
  readonly kind: 'connection' | 'key';
  readonly end: 'source' | 'destination' | '';
  readonly detail: string;
  readonly at: number;
}

interface OldAlert {
  readonly id: string;
  readonly entityId: string;
  readonly executable: string;
  readonly why: string;
  readonly deed: string;
}

interface OldChain {
  readonly id: string;
  readonly absorbed: readonly string[];
  readonly survivor: { readonly tie: object } | null;
  readonly rules: Readonly<Record<string, object>>;
  readonly processes: Readonly<Record<string, { readonly pid: number; readonly user: string }>>;
  readonly alerts: readonly OldAlert[];
}

/** Names of the records of the detector's state entries. */
export type DetectorState =
  | 'StateHost'
  | 'StateChain'
  | 'StateChainCounts'
  | 'StateMemory'
  | 'StateRuleMemory'
  | 'StateRuleCounts'
  | 'StateEdge';

export const LEGACY: LegacyConverters<DetectorState> = {
  StateHost: hostOf,
  StateChain: chainOf,
  StateChainCounts: countsOf,
  StateMemory: ({ value, ordinal }: { readonly value: OldValue; readonly ordinal: number }) => memoryOf(value, ordinal),
  StateRuleMemory: ([hostId, bootId, key, value]: readonly [string, string, string, string]) => ({
    ...{ hostId, bootId, key },
    value: Buffer.from(value),
  }),
  StateRuleCounts: (rules: readonly object[]) => ({ rules }),
  StateEdge: ({ value, ordinal }: { readonly value: object; readonly ordinal: number }) => ({ ...value, ordinal }),
};

interface OldHost {
  readonly rarity: readonly (readonly [rule: string, chains: number])[];
  readonly verdicts: readonly (readonly [rule: string, counts: readonly [number, number]])[];
}

function hostOf({ rarity, verdicts, ...host }: OldHost): object {
  return {
    ...host,
    rarity: rarity.map(([rule, chains]) => ({ rule, chains })),
    verdicts: verdicts.map(([rule, [truePositives, falsePositives]]) => ({ rule, truePositives, falsePositives })),
  };
}

function chainOf({ absorbed, survivor, rules, processes, alerts, ...chain }: OldChain): object {
  return {
    ...chain,
    mergedIds: absorbed,
    survivor: survivor === null ? null : survivorOf(survivor),
    rules: Object.entries(rules).map(([rule, weight]) => ({ rule, ...weight })),
    processes: Object.values(processes),
    alerts: alerts.map((alert) => alertOf(alert, chain.id, processes)),
  };
}

const survivorOf = ({ tie, ...ref }: { readonly tie: object }): object => ({ ...ref, cause: { ...tie, reason: null } });

/** An alert that opened its chain shares its id; the reasons of all others stay sentences. */
function alertOf(
  { deed: _, executable, ...alert }: OldAlert,
  chainId: string,
  processes: OldChain['processes'],
): object {
  const { entityId } = alert;
  const { pid = 0, user = '' } = processes[entityId] ?? {};
  const isOpener = incidentId(alert.id) === chainId;
  const process = executable === '' ? null : { entityId, pid, executable, user };
  const unknown = { action: null, target: null };
  return { ...alert, process, ...unknown, reason: isOpener ? OPENED : null, why: isOpener ? '' : alert.why };
}

interface OldCounts {
  readonly rules: Readonly<Record<string, number>>;
  readonly alerts: readonly (readonly [number, number, number, number])[];
}

function countsOf({ rules, alerts, ...counts }: OldCounts): object {
  return {
    ...counts,
    rules: Object.entries(rules).map(([rule, ktime]) => ({ rule, ktime })),
    alerts: alerts.map(([count, lastTimestamp, minute, sentInMinute]) => ({
      ...{ count, lastTimestamp, minute, sentInMinute },
    })),
  };
}

interface OldAcceptor {
  readonly accepts: readonly { readonly tie: OldEnd }[];
  readonly forks: readonly object[];
}
interface OldPeer {
  readonly root: string;
  readonly endpoint: string;
  readonly ktime: number;
}
interface OldServer {
  readonly root: string;
  readonly name: string;
  readonly clients: readonly string[];
}
type OldValue =
  | number
  | string
  | boolean
  | { readonly chainId: string }
  | OldAcceptor
  | { readonly lineage: readonly string[]; readonly ties: readonly OldEnd[] }
  | OldServer
  | { readonly triage: object }
  | readonly OldEnd[]
  | readonly OldPeer[];

/** Values of each table look different, which shows their field. */
function memoryOf(value: OldValue, ordinal: number): StateMemory {
  if (typeof value === 'number') return memoryRecord('keyUse', value, ordinal);
  if (typeof value === 'string') return memoryRecord('copy', value, ordinal);
  if (typeof value === 'boolean') return memoryRecord('installed', value, ordinal);
  if ('chainId' in value) return memoryRecord('forward', value, ordinal);
  if ('accepts' in value) return memoryRecord('acceptor', acceptorOf(value), ordinal);
  if ('ties' in value) return memoryRecord('caller', { lineage: value.lineage, ends: value.ties.map(endOf) }, ordinal);
  if ('clients' in value) return memoryRecord('server', serverOf(value), ordinal);
  if ('triage' in value) return memoryRecord('settled', value, ordinal);
  const [first] = value;
  if (first !== undefined && 'endpoint' in first)
    return memoryRecord('peers', (value as readonly OldPeer[]).map(peerOf), ordinal);
  return memoryRecord('session', (value as readonly OldEnd[]).map(endOf), ordinal);
}

const acceptorOf = ({ accepts, forks }: OldAcceptor): object => ({
  accepts: accepts.map(({ tie, ...accept }) => ({ ...accept, end: endOf(tie) })),
  forks,
});

/** The detail of a connection is "tcp ADDRESS:PORT → ADDRESS:PORT", with IPv6 addresses in brackets. */
function endOf({ end, kind, detail, at }: OldEnd): object {
  const source = kind === 'connection' ? (/^tcp \[?([0-9a-f.:]+?)\]?:\d+ → /.exec(detail)?.[1] ?? '') : '';
  return { kind, side: end === '' ? 'none' : end, detail, source, at };
}

/** The name has the pid already. */
const serverOf = ({ root, name, clients }: OldServer): object => ({
  ...{ root, clients },
  process: { entityId: root, pid: 0, executable: name, user: '' },
});

/** Only the endpoint of the connection is data: "tcp NAMESPACE PORT" or "unix NAMESPACE PATH". */
function peerOf({ root, endpoint, ktime }: OldPeer): object {
  const [kind = '', , ...place] = endpoint.split(' ');
  const objects = { [kind === 'unix' ? 'network.unix.path' : 'destination.port']: place.join(' ') };
  return { root, endpoint, ktime, reason: { ...OPENED, kind: 'connection', objects } };
}
