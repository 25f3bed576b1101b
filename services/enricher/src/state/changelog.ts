import { MAX_KEY_BYTES, MAX_RECORD_BYTES, type Position, type StateChange, type StateEntry } from '@ringfence/bus';
import { u64ToHex } from '@ringfence/wire';
import { EnricherStateError } from '../errors.ts';
import type { Boot } from './boot.ts';
import type { Boots } from './boots.ts';
import {
  decodeContainer,
  decodeProcess,
  decodeState,
  encodeBoot,
  encodeContainer,
  encodeProcess,
  encodeState,
  fillBoot,
  type RestoredProcess,
} from './codec.ts';
import type { KnownHash } from './known-hashes.ts';
import type { KnownAddress } from './known-names.ts';
import type { ProcessEntry } from './process.ts';
import type { Write } from './written-files.ts';

export const STORE = 'ringfence.state.enricher';
/** A larger entry does not fit into a record of the changelog: its commit would fail for ever. */
const MAX_ENTRY_BYTES = MAX_RECORD_BYTES - MAX_KEY_BYTES;

const processKey = ({ tgid, start }: ProcessEntry): string => `p/${tgid}/${u64ToHex(start)}`;

/**
 * Returns what changed in a boot since the last call. Keys, below `<hostId>/<bootId>/`: `s` the boot itself,
 * `p/<pid>/<start>` a process, `u/<uid>` a user, `c/<cgroup>` a container, `w/<segment>` the writes of one batch,
 * `h/<device>-<inode>` the hash of a file, `n/<address>/<container>` the names of an address.
 */
export function drainBoot(boot: Boot, partition: number, position: Position): StateChange[] {
  const changes: StateChange[] = [];
  const put = (key: string, bytes: Uint8Array | null): void => {
    // Only a hostile agent can cause this, such as with the labels of a container.
    const isTooLarge = bytes !== null && bytes.length > MAX_ENTRY_BYTES;
    if (isTooLarge) boot.notPersisted++;
    const value = isTooLarge ? null : bytes;
    changes.push({ store: STORE, partition, key: `${boot.hostId}/${boot.bootId}/${key}`, value, position });
  };
  const { changed, removed } = boot.processes.drain();
  for (const entry of removed) put(processKey(entry), null);
  for (const entry of changed) put(processKey(entry), encodeProcess(entry, boot));
  for (const key of boot.contexts.drain()) put(key, contextValue(boot, key));
  const { written, evicted } = boot.writes.drain();
  if (written !== undefined) put(`w/${written.segment}`, encodeState('StateWrites', written));
  for (const segment of evicted) put(`w/${segment}`, null);
  for (const key of boot.hashes.drain()) {
    const hash = boot.hashes.get(key);
    put(`h/${key}`, hash === undefined ? null : encodeState('StateFileHash', hash));
  }
  for (const key of boot.names.drain()) {
    const known = boot.names.get(key);
    put(`n/${key}`, known === undefined ? null : encodeState('StateAddressNames', known));
  }
  put('s', boundedBoot(boot));
  return changes;
}

/** Shrinks the lanes if necessary: under load, a machine with many CPUs may miss thousands of records at a time. */
function boundedBoot(boot: Boot): Buffer {
  let bytes = encodeBoot(boot);
  for (; bytes.length > MAX_ENTRY_BYTES; bytes = encodeBoot(boot)) boot.forgetLanes();
  return bytes;
}

/** Returns the deletions of all entries of a boot. */
export function forgetBoot(boot: Boot, partition: number, position: Position): StateChange[] {
  const { processes, contexts, writes, hashes, names } = boot;
  const keys = [
    ...[...processes.entries()].map(processKey),
    ...[...contexts.users.keys()].map((uid) => `u/${uid}`),
    ...[...contexts.containers.keys()].map((cgroup) => `c/${cgroup}`),
    ...[...writes.segments()].map((segment) => `w/${segment}`),
    ...[...hashes.keys()].map((key) => `h/${key}`),
    ...[...names.keys()].map((key) => `n/${key}`),
    's',
  ];
  return keys.map((key) => ({
    store: STORE,
    partition,
    key: `${boot.hostId}/${boot.bootId}/${key}`,
    value: null,
    position,
  }));
}

function contextValue({ contexts }: Boot, key: string): Uint8Array | null {
  const name = key.slice(2);
  if (key.startsWith('u/')) {
    const user = contexts.users.get(Number(name));
    return user === undefined ? null : encodeState('StateUser', { name: user });
  }
  const container = contexts.containers.get(name);
  return container === undefined ? null : encodeContainer(container);
}

/** Entries of one boot. They are placed when all have been read, because the store returns them ordered by key. */
interface Pending {
  readonly boot: Boot;
  readonly processes: RestoredProcess[];
  readonly segments: [number, Write[]][];
  readonly hashes: [string, KnownHash][];
  readonly names: [string, KnownAddress][];
}

/** Fills empty state from the store. Throws EnricherStateError. */
export async function restoreBoots(boots: Boots, partition: number, entries: AsyncIterable<StateEntry>): Promise<void> {
  const found = new Map<Boot, Pending>();
  for await (const { key, value } of entries) {
    const [hostId = '', bootId = '', ...rest] = key.split('/');
    const boot = boots.at(hostId, bootId);
    boot.partition = partition;
    const entriesOfBoot = found.get(boot) ?? { boot, processes: [], segments: [], hashes: [], names: [] };
    found.set(boot, entriesOfBoot);
    try {
      readEntry(entriesOfBoot, rest, value);
    } catch (cause) {
      throw new EnricherStateError(key, cause);
    }
  }
  for (const entriesOfBoot of found.values()) placeEntries(entriesOfBoot);
  boots.resume();
}

function readEntry(
  { boot, processes, segments, hashes, names }: Pending,
  [kind, ...rest]: string[],
  value: Uint8Array,
): void {
  const name = rest.join('/');
  if (kind === 's') fillBoot(boot, value);
  else if (kind === 'p') processes.push(decodeProcess(value));
  else if (kind === 'u') boot.contexts.users.set(Number(name), decodeState('StateUser', value).name);
  else if (kind === 'c') boot.contexts.containers.set(name, decodeContainer(value));
  else if (kind === 'w') segments.push([Number(name), restoredWrites(value)]);
  else if (kind === 'h') hashes.push([name, restoredHash(value)]);
  else if (kind === 'n') names.push([name, decodeState('StateAddressNames', value)]);
  else throw new RangeError('unknown kind of entry');
}

function restoredWrites(bytes: Uint8Array): Write[] {
  return decodeState('StateWrites', bytes).writes.map((write) => ({ ...write, segment: 0 }));
}

function restoredHash(bytes: Uint8Array): KnownHash {
  const { sha256, ...hash } = decodeState('StateFileHash', bytes);
  return { ...hash, sha256: Buffer.from(sha256) };
}

function placeEntries({ boot, processes, segments, hashes, names }: Pending): void {
  const table = boot.processes;
  for (const { entry } of processes.sort((a, b) => a.entry.ordinal - b.entry.ordinal)) table.add(entry);
  for (const { entry, parentTgid, parentStart } of processes) {
    const parent = parentTgid === 0 ? null : table.find(parentTgid, parentStart, 0);
    if (parent !== null) table.link(entry, parent);
  }
  table.requeue(boot.tick);
  table.drain();
  for (const [key, hash] of hashes.sort(([, a], [, b]) => a.ordinal - b.ordinal)) boot.hashes.restore(key, hash);
  for (const [key, known] of names.sort(([, a], [, b]) => a.ordinal - b.ordinal)) boot.names.restore(key, known);
  const next = boot.writes.nextSegment;
  for (const [segment, writes] of segments.sort(([a], [b]) => a - b)) boot.writes.restore(segment, writes);
  boot.writes.nextSegment = Math.max(next, boot.writes.nextSegment);
}
