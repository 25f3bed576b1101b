import { createStateDecoder, jsonEntries, type StateDecoder } from '@ringfence/service-kit';
import {
  decode,
  encode,
  SequenceTracker,
  type StateChain,
  type StateChainCounts,
  type StateHost,
  UNSIGNED,
} from '@ringfence/wire';
import type { Chain, Member } from './chain.ts';
import type { Host } from './host.ts';
import { type DetectorState, LEGACY } from './legacy.ts';

const MAX_ID = 256;

/** Returns the record of a state entry. Throws if it is malformed. */
export const decodeState: StateDecoder<DetectorState> = createStateDecoder(jsonEntries(LEGACY));

export function encodeChain(chain: Chain): Uint8Array {
  const { members: _, rules, processes, ...rest } = chain;
  return encode('StateChain', {
    ...rest,
    rules: Object.entries(rules).map(([rule, { weight, ktime }]) => ({ rule, weight, ktime })),
    processes: [...processes.values()],
  });
}

export function decodeChain(bytes: Uint8Array): Chain {
  const { rules, processes, alerts, stages, ...rest }: StateChain = decodeState('StateChain', bytes);
  assertIds(rest.id, rest.hostId, rest.bootId);
  assertCounts(rest.ordinal, rest.revision, rest.version, rest.omitted);
  for (const { weight } of rules) assertBound('weight of a rule', weight);
  return {
    ...rest,
    ...{ keys: [...rest.keys], edges: [...rest.edges], above: [...rest.above], mergedIds: [...rest.mergedIds] },
    alerts: alerts.map((alert) => ({ ...alert })),
    stages: stages.map((stage) => ({ ...stage })),
    rules: Object.fromEntries(rules.map(({ rule, weight, ktime }) => [rule, { weight, ktime }])),
    processes: new Map(processes.map((process) => [process.entityId, process])),
    members: new Map(),
  };
}

/** Encodes the part of a chain that repetitions change. */
export function encodeCounts(chain: Chain): Uint8Array {
  const { id, hostId, revision, version, firstSeen, lastSeen, lastKtime, omitted, stale, rules, alerts } = chain;
  return encode('StateChainCounts', {
    ...{ id, hostId, revision, version, firstSeen, lastSeen, lastKtime, omitted, stale, alerts },
    rules: Object.entries(rules).map(([rule, { ktime }]) => ({ rule, ktime })),
  });
}

/** Counts are older than the chain if the chain has been written whole since. */
export function applyCounts(chain: Chain, counts: StateChainCounts): void {
  const { rules, alerts, id: _id, hostId: _hostId, ...plain } = counts;
  if (plain.revision <= chain.revision) return;
  Object.assign(chain, plain);
  for (const { rule, ktime } of rules)
    if (Object.hasOwn(chain.rules, rule)) Object.assign(chain.rules[rule] as object, { ktime });
  for (const [at, { count, lastTimestamp, minute, sentInMinute }] of alerts.entries())
    Object.assign(chain.alerts[at] ?? {}, { count, lastTimestamp, minute, sentInMinute });
}

export function encodeHost(host: Host): Uint8Array {
  const { tick, nextOrdinal, ktime, network, rarity, verdicts, runs } = host;
  const { hostname, addresses } = network;
  return encode('StateHost', {
    ...{ tick, nextOrdinal, ktime, hostname, addresses },
    rarity: Array.from(rarity, ([rule, chains]) => ({ rule, chains })),
    verdicts: Array.from(verdicts, ([rule, [truePositives, falsePositives]]) => ({
      ...{ rule, truePositives, falsePositives },
    })),
    runs: Array.from(runs, ([id, run]) => ({ id, lanes: Array.from(run, ([key, { state }]) => ({ key, ...state })) })),
  });
}

export function fillHost(host: Host, bytes: Uint8Array): void {
  const { tick, nextOrdinal, ktime, hostname, addresses, rarity, verdicts, runs }: StateHost = decodeState(
    'StateHost',
    bytes,
  );
  assertCounts(tick, nextOrdinal);
  Object.assign(host, { tick, nextOrdinal, ktime });
  host.setNames({ hostname, addresses });
  for (const { rule, chains } of rarity) host.rarity.set(rule, assertBound('chains of a rule', chains));
  for (const { rule, truePositives, falsePositives } of verdicts)
    host.verdicts.set(rule, [assertBound('verdicts', truePositives), assertBound('verdicts', falsePositives)]);
  for (const { id, lanes } of runs)
    host.runs.set(id, new Map(lanes.map(({ key, ...state }) => [key, new SequenceTracker(state)])));
}

export const encodeMember = (member: Member): Uint8Array => encode('Join', { ...member, ...UNSIGNED });

export function decodeMember(bytes: Uint8Array): Member {
  const join = decode('Join', bytes);
  if (join.chain === null) throw new RangeError('a member without its chain');
  return { ...join, chain: join.chain };
}

export function assertIds(...ids: readonly string[]): void {
  for (const id of ids)
    if (id.length === 0 || id.length > MAX_ID) throw new RangeError(`an id of ${id.length} characters`);
}

function assertCounts(...counts: readonly number[]): void {
  for (const count of counts) assertBound('count', count);
}

function assertBound(name: string, value: number): number {
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`${name} is ${value}`);
  return value;
}
