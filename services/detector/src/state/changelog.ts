import { createHash } from 'node:crypto';
import type { Position, StateChange, StateEntry } from '@ringfence/bus';
import { decode, encode, type RuleCount, SequenceTracker, UNSIGNED } from '@ringfence/wire';
import { DetectorStateError } from '../errors.ts';
import type { Chain, ChainProcess, Member } from './chain.ts';
import { Host, type Verdicts } from './host.ts';
import type { BootMemories } from './memories.ts';
import type { Rarity } from './rarity.ts';
import type { Remembered } from './remembered.ts';
import { assertShape, type Shape } from './shape.ts';
import { CHAIN_SHAPE, COUNTS_SHAPE, HOST_SHAPE, MEMORY_SHAPES, RULE_COUNTS_SHAPE, SURVIVOR_SHAPE } from './shapes.ts';
import { UNTOUCHED } from './triage.ts';

export const STORE = 'ringfence.state.detector';

const text = new TextEncoder();
const json = (value: unknown): Uint8Array => text.encode(JSON.stringify(value));
const parse = (value: Uint8Array): unknown => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value));

/** Keys: `h/<host>` the host itself, `c/<host>/<incident>` a chain, `n/<host>/<incident>` its counts (a flood changes nothing else),
 * `m/<host>/<incident>/<incident>` a member of a chain, `t/<host>/<hash>` one key of what a rule remembers, and what MEMORIES lists; `r` is the partition's. */
export function drainHost(host: Host, memories: BootMemories, position: Position): StateChange[] {
  const { partition } = host;
  const put = (key: string, value: Uint8Array | null): StateChange => ({
    store: STORE,
    partition,
    key,
    value,
    position,
  });
  const changes = [put(`h/${host.id}`, json(hostValue(host)))];
  for (const id of host.gone) changes.push(put(`c/${host.id}/${id}`, null), put(`n/${host.id}/${id}`, null));
  for (const chain of new Set([...host.changed, ...host.counted])) {
    chain.revision++;
    if (host.changed.has(chain)) changes.push(put(`c/${host.id}/${chain.id}`, json(chainValue(chain))));
    else changes.push(put(`n/${host.id}/${chain.id}`, json(countsOf(chain))));
  }
  for (const key of host.changedMembers) {
    const [chainId = '', memberId = ''] = key.split('/');
    const member = host.chains.get(chainId)?.members.get(memberId);
    changes.push(put(`m/${host.id}/${key}`, member === undefined ? null : encode('Join', { ...member, ...UNSIGNED })));
  }
  host.changedMembers.clear();
  for (const [name, memory] of memoriesOf(host))
    for (const [key, entry] of memory.drain())
      changes.push(put(`${name}/${host.id}/${key}`, entry === null ? null : json(entry)));
  host.gone.clear();
  host.changed.clear();
  host.counted.clear();
  for (const { bootId, key, value } of memories.takeHostChanges(host.id, (boot) => host.hasBoot(boot))) {
    // A key holds values of events: only its hash is sure to be short enough for the bus.
    const name = createHash('sha256').update(bootId).update(key).digest('hex').slice(0, 32);
    const kept = value === null ? null : json([host.id, bootId, key, Buffer.from(value).toString('utf8')]);
    changes.push(put(`t/${host.id}/${name}`, kept));
  }
  return changes;
}

function chainValue({ members: _, ...chain }: Chain): object {
  return { ...chain, processes: Object.fromEntries(chain.processes) };
}

/** What the other partitions were known to have told of their rules. */
const OTHERS = 'r';

export const fleetCountsChange = (
  others: readonly RuleCount[],
  partition: number,
  position: Position,
): StateChange => ({
  store: STORE,
  partition,
  key: OTHERS,
  value: json(others),
  position,
});

/** By the letter of their keys. */
const memoriesOf = ({ network, links, forwards, settled }: Host): [string, Remembered<unknown>][] => [
  ['f', forwards as Remembered<unknown>],
  ['a', network.acceptors as Remembered<unknown>],
  ['s', network.sessions as Remembered<unknown>],
  ['o', network.callers as Remembered<unknown>],
  ['k', network.keys as Remembered<unknown>],
  ['v', links.servers as Remembered<unknown>],
  ['p', links.peers as Remembered<unknown>],
  ['x', links.copies as Remembered<unknown>],
  ['i', links.installed as Remembered<unknown>],
  ['j', settled as Remembered<unknown>],
];

/** What repetitions change in a chain. */
interface ChainCounts {
  readonly id: string;
  readonly hostId: string;
  readonly revision: number;
  readonly version: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly lastKtime: number;
  readonly omitted: number;
  readonly stale: boolean;
  readonly rules: Readonly<Record<string, number>>;
  /** count, lastTimestamp, minute, sentInMinute of each alert */
  readonly alerts: readonly (readonly number[])[];
}

function countsOf(chain: Chain): ChainCounts {
  const { id, hostId, revision, version, firstSeen, lastSeen, lastKtime, omitted, stale } = chain;
  return {
    ...{ id, hostId, revision, version, firstSeen, lastSeen, lastKtime, omitted, stale },
    rules: Object.fromEntries(Object.entries(chain.rules).map(([rule, { ktime }]) => [rule, ktime])),
    alerts: chain.alerts.map(({ count, lastTimestamp, minute, sentInMinute }) => [
      count,
      lastTimestamp,
      minute,
      sentInMinute,
    ]),
  };
}

/** The counts are older than the whole when the chain has been written whole since. */
function applyCounts(chain: Chain, counts: ChainCounts): void {
  const { rules, alerts, id: _id, hostId: _hostId, ...plain } = counts;
  if (plain.revision <= chain.revision) return;
  Object.assign(chain, plain);
  for (const [rule, ktime] of Object.entries(rules))
    if (Object.hasOwn(chain.rules, rule)) Object.assign(chain.rules[rule]!, { ktime });
  for (const [i, [count, lastTimestamp, minute, sentInMinute]] of alerts.entries()) {
    Object.assign(chain.alerts[i] ?? {}, { count, lastTimestamp, minute, sentInMinute });
  }
}

interface HostValue {
  readonly tick: number;
  readonly nextOrdinal: number;
  readonly ktime: number;
  readonly hostname: string;
  readonly addresses: readonly string[];
  readonly rarity: readonly (readonly [string, number])[];
  readonly verdicts: readonly (readonly [string, Verdicts])[];
  readonly runs: readonly { readonly id: string; readonly lanes: readonly LaneValue[] }[];
}

interface LaneValue {
  readonly key: number;
  readonly highest: number;
  readonly holes: readonly { readonly from: number; readonly to: number; readonly due: number }[];
}

function hostValue(host: Host): HostValue {
  return {
    tick: host.tick,
    nextOrdinal: host.nextOrdinal,
    ktime: host.ktime,
    hostname: host.network.hostname,
    addresses: host.network.addresses,
    rarity: [...host.rarity],
    verdicts: [...host.verdicts],
    runs: [...host.runs].map(([id, run]) => ({ id, lanes: [...run].map(([key, { state }]) => ({ key, ...state })) })),
  };
}

/** Fills empty memory from the store; where in the input that was. Throws DetectorStateError. */
export async function restoreHosts(
  hosts: Map<string, Host>,
  memories: BootMemories,
  rarity: Rarity,
  partition: number,
  entries: AsyncIterable<StateEntry>,
): Promise<Position> {
  let last: Position = { offset: 0, index: 0 };
  const chains: Chain[] = [];
  const counts: ChainCounts[] = [];
  const members: [chainId: string, member: Member][] = [];
  const remembered = new Map<string, [string, never][]>();
  const hostOf = (id: string): Host => {
    const host = hosts.get(id) ?? new Host(id);
    hosts.set(id, host);
    return host;
  };
  for await (const { key, value, position } of entries) {
    if (position.offset > last.offset || (position.offset === last.offset && position.index > last.index))
      last = position;
    try {
      const [kind = '', name = '', ...rest] = key.split('/');
      if (kind === 'm') {
        members.push([rest[0] ?? '', restoreMember(value)]);
        continue;
      }
      const parsed = parse(value);
      if (kind in MEMORY_SHAPES) {
        assertShape(parsed, { value: MEMORY_SHAPES[kind] as Shape, ordinal: 'number' });
        const entries = remembered.get(`${kind}/${name}`) ?? [];
        remembered.set(`${kind}/${name}`, entries);
        entries.push([rest.join('/'), parsed as never]);
      } else if (kind === 'h') restoreHost(hostOf(name), parsed, partition);
      else if (kind === 'c') chains.push(restoreChain(parsed));
      else if (kind === 'n') counts.push(restoreCounts(parsed));
      else if (kind === 't') restoreRule(memories, parsed);
      else if (kind === OTHERS) rarity.learn(restoreOthers(parsed));
      else throw new RangeError('unknown kind of entry');
    } catch (cause) {
      throw new DetectorStateError(key, cause);
    }
  }
  const byId = new Map(chains.map((chain) => [`${chain.hostId}/${chain.id}`, chain]));
  for (const one of counts) {
    const chain = byId.get(`${one.hostId}/${one.id}`);
    if (chain !== undefined) applyCounts(chain, one);
  }
  for (const chain of chains.sort((a, b) => a.ordinal - b.ordinal)) hostOf(chain.hostId).addChain(chain);
  for (const [chainId, member] of members)
    hostOf(member.hostId).chains.get(chainId)?.members.set(member.from.chainId, member);
  for (const host of hosts.values()) {
    for (const [name, memory] of memoriesOf(host)) memory.restore(remembered.get(`${name}/${host.id}`) ?? []);
    host.network.reindex();
    rarity.add(host);
  }
  for (const [id, host] of hosts) memories.takeHostChanges(id, (boot) => host.hasBoot(boot));
  return last;
}

/** What entries of the version before lack. */
const olderHost = { ktime: 0, hostname: '', addresses: [], verdicts: [] };
const missing = (entry: unknown, older: object): object =>
  Object.fromEntries(Object.entries(older).filter(([name]) => !(name in (entry as object))));
const olderChain = { edges: [], above: [], absorbed: [], survivor: null, touchedKtime: 0, triage: UNTOUCHED };

const olderAlert = { process: null, action: null, reason: null };

function restoreHost(host: Host, entry: unknown, partition: number): void {
  const parsed = { ...(entry as object), ...missing(entry, olderHost) };
  assertShape(parsed, HOST_SHAPE);
  const { tick, nextOrdinal, ktime, hostname, addresses, rarity, verdicts, runs } = parsed as unknown as HostValue;
  Object.assign(host, { tick, nextOrdinal, ktime, partition });
  host.setNames({ hostname, addresses });
  for (const [rule, count] of rarity) host.rarity.set(rule, count);
  for (const [rule, counts] of verdicts) host.verdicts.set(rule, counts);
  for (const { id, lanes } of runs) {
    host.runs.set(id, new Map(lanes.map(({ key, ...state }) => [key, new SequenceTracker(state)])));
  }
}

function restoreChain(entry: unknown): Chain {
  const { firstSeen, version } = entry as Chain;
  const older = { openedAt: firstSeen, published: version > 0, ...olderChain };
  const parsed = { ...(entry as object), ...missing(entry, older) };
  assertShape(parsed, CHAIN_SHAPE);
  const value = parsed as unknown as Omit<Chain, 'processes'> & { readonly processes: Record<string, ChainProcess> };
  if (value.survivor !== null) assertShape(value.survivor, SURVIVOR_SHAPE);
  const alerts = value.alerts.map((alert) => ({ ...alert, ...missing(alert, olderAlert) }));
  return { ...value, alerts, processes: new Map(Object.entries(value.processes)), members: new Map() };
}

function restoreMember(value: Uint8Array): Member {
  const join = decode('Join', value);
  if (join.chain === null) throw new RangeError('a member without its chain');
  return { ...join, chain: join.chain };
}

function restoreCounts(parsed: unknown): ChainCounts {
  assertShape(parsed, COUNTS_SHAPE);
  return parsed as ChainCounts;
}

function restoreOthers(parsed: unknown): readonly RuleCount[] {
  assertShape(parsed, RULE_COUNTS_SHAPE);
  return parsed as RuleCount[];
}

function restoreRule(memories: BootMemories, parsed: unknown): void {
  assertShape(parsed, ['string']);
  const [hostId = '', bootId = '', key = '', value = ''] = parsed as string[];
  memories.restoreBoot(hostId, bootId, key, text.encode(value));
}
