import { createHash } from 'node:crypto';
import type { Position, StateChange, StateEntry } from '@ringfence/bus';
import { asBuffer, encode, type RuleCount, type StateChainCounts } from '@ringfence/wire';
import { DetectorStateError } from '../errors.ts';
import type { Chain, Member } from './chain.ts';
import {
  applyCounts,
  assertIds,
  decodeChain,
  decodeMember,
  decodeState,
  encodeChain,
  encodeCounts,
  encodeHost,
  encodeMember,
  fillHost,
} from './codec.ts';
import { Host } from './host.ts';
import type { BootMemories } from './memories.ts';
import type { Rarity } from './rarity.ts';
import { memoryRecord, TABLES, type Table } from './tables.ts';

export const STORE = 'ringfence.state.detector';

/** Key of the counts that were taken over from the other partitions */
const FLEET_COUNTS = 'r';

/**
 * Returns the changes of a host since the last call. Keys: `h/HOST` the host itself, `c/HOST/CHAIN` a chain,
 * `n/HOST/CHAIN` its counts (a flood changes nothing else), `m/HOST/CHAIN/CHAIN` a member of a chain, `t/HOST/HASH`
 * one key of the memory of a rule, and `LETTER/HOST/KEY` an entry of a table; `r` belongs to the partition.
 */
export function drainHost(host: Host, memories: BootMemories, position: Position): StateChange[] {
  const { partition } = host;
  const put = (key: string, value: Uint8Array | null): StateChange => ({
    store: STORE,
    ...{ partition, key, value, position },
  });
  return [
    put(`h/${host.id}`, encodeHost(host)),
    ...drainChains(host, put),
    ...drainTables(host, put),
    ...drainRules(host, memories, put),
  ];
}

type Put = (key: string, value: Uint8Array | null) => StateChange;

function drainChains(host: Host, put: Put): StateChange[] {
  const changes: StateChange[] = [];
  for (const id of host.gone) changes.push(put(`c/${host.id}/${id}`, null), put(`n/${host.id}/${id}`, null));
  for (const chain of new Set([...host.changed, ...host.counted])) {
    chain.revision++;
    if (host.changed.has(chain)) changes.push(put(`c/${host.id}/${chain.id}`, encodeChain(chain)));
    else changes.push(put(`n/${host.id}/${chain.id}`, encodeCounts(chain)));
  }
  for (const key of host.changedMembers) {
    const [chainId = '', memberId = ''] = key.split('/');
    const member = host.chains.get(chainId)?.members.get(memberId);
    changes.push(put(`m/${host.id}/${key}`, member === undefined ? null : encodeMember(member)));
  }
  host.changedMembers.clear();
  host.gone.clear();
  host.changed.clear();
  host.counted.clear();
  return changes;
}

const drainTables = (host: Host, put: Put): StateChange[] =>
  TABLES.flatMap(({ letter, field, of }) =>
    of(host)
      .drain()
      .map(([key, entry]) => {
        const value = entry === null ? null : encode('StateMemory', memoryRecord(field, entry.value, entry.ordinal));
        return put(`${letter}/${host.id}/${key}`, value);
      }),
  );

function drainRules(host: Host, memories: BootMemories, put: Put): StateChange[] {
  const { id: hostId } = host;
  return memories
    .takeHostChanges(hostId, (boot) => host.hasBoot(boot))
    .map(({ bootId, key, value }) => {
      // A key holds values of events: only its hash is certain to be short enough for the bus.
      const name = createHash('sha256').update(bootId).update(key).digest('hex').slice(0, 32);
      return put(
        `t/${hostId}/${name}`,
        value && encode('StateRuleMemory', { hostId, bootId, key, value: asBuffer(value) }),
      );
    });
}

/** Returns the state change for counts of rules that were taken over from the other partitions. */
export const fleetCountsChange = (rules: readonly RuleCount[], partition: number, position: Position): StateChange => ({
  store: STORE,
  key: FLEET_COUNTS,
  value: encode('StateRuleCounts', { rules }),
  ...{ partition, position },
});

type TableEntry = readonly [key: string, entry: { readonly value: never; readonly ordinal: number }];

/** Entries that can be put in place only when all are read. */
interface Pending {
  readonly chains: Chain[];
  readonly counts: StateChainCounts[];
  readonly members: (readonly [chainId: string, member: Member])[];
  /** By letter and host */
  readonly tables: Map<string, TableEntry[]>;
}

/** Fills empty memory from the store. Returns the position of the last input. Throws DetectorStateError. */
export async function restoreHosts(
  hosts: Map<string, Host>,
  memories: BootMemories,
  rarity: Rarity,
  partition: number,
  entries: AsyncIterable<StateEntry>,
): Promise<Position> {
  let last: Position = { offset: 0, index: 0 };
  const pending: Pending = { chains: [], counts: [], members: [], tables: new Map() };
  const hostOf = (id: string): Host => {
    const host = hosts.get(id) ?? new Host(id);
    hosts.set(id, host);
    host.partition = partition;
    return host;
  };
  for await (const { key, value, position } of entries) {
    if (position.offset > last.offset || (position.offset === last.offset && position.index > last.index))
      last = position;
    try {
      readEntry(key, value, { pending, hostOf, memories, rarity });
    } catch (cause) {
      throw new DetectorStateError(key, cause);
    }
  }
  placeChains(pending, hostOf);
  for (const host of hosts.values()) {
    for (const { letter, of } of TABLES) of(host).restore(pending.tables.get(`${letter}/${host.id}`) ?? []);
    host.network.reindex();
    rarity.add(host);
  }
  for (const [id, host] of hosts) memories.takeHostChanges(id, (boot) => host.hasBoot(boot));
  return last;
}

interface Memory {
  readonly pending: Pending;
  readonly hostOf: (id: string) => Host;
  readonly memories: BootMemories;
  readonly rarity: Rarity;
}

function readEntry(key: string, value: Uint8Array, { pending, hostOf, memories, rarity }: Memory): void {
  const [letter = '', hostId = '', ...rest] = key.split('/');
  const table = TABLES.find((candidate) => candidate.letter === letter);
  if (table !== undefined) readTable(table, hostId, rest.join('/'), value, pending);
  else if (letter === 'h') fillHost(hostOf(hostId), value);
  else if (letter === 'c') pending.chains.push(decodeChain(value));
  else if (letter === 'n') pending.counts.push(decodeState('StateChainCounts', value));
  else if (letter === 'm') pending.members.push([rest[0] ?? '', decodeMember(value)]);
  else if (letter === 't') {
    const rule = decodeState('StateRuleMemory', value);
    assertIds(rule.hostId);
    memories.restoreBoot(rule.hostId, rule.bootId, rule.key, rule.value);
  } else if (letter === FLEET_COUNTS) rarity.learn(decodeState('StateRuleCounts', value).rules);
  else throw new RangeError('unknown kind of entry');
}

function readTable({ letter, field }: Table, hostId: string, key: string, bytes: Uint8Array, pending: Pending): void {
  const record = decodeState('StateMemory', bytes);
  const value = record[field];
  if (value === null) throw new RangeError(`an entry without its ${field}`);
  const name = `${letter}/${hostId}`;
  const entries = pending.tables.get(name) ?? [];
  pending.tables.set(name, entries);
  entries.push([key, { value: value as never, ordinal: record.ordinal }]);
}

/** Chains go in the order of opening, with their latest counts and their members. */
function placeChains({ chains, counts, members }: Pending, hostOf: (id: string) => Host): void {
  const byId = new Map(chains.map((chain) => [`${chain.hostId}/${chain.id}`, chain]));
  for (const entry of counts) {
    const chain = byId.get(`${entry.hostId}/${entry.id}`);
    if (chain !== undefined) applyCounts(chain, entry);
  }
  for (const chain of chains.sort((a, b) => a.ordinal - b.ordinal)) hostOf(chain.hostId).addChain(chain);
  for (const [chainId, member] of members)
    hostOf(member.hostId).chains.get(chainId)?.members.set(member.from.chainId, member);
}
