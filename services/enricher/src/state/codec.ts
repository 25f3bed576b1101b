import {
  AvroWriter,
  type Container,
  EventCursor,
  itemType,
  itemTypeOf,
  type Process,
  releasedSchemas,
  SequenceTracker,
  U64_ZERO,
} from '@ringfence/wire';
import type { Boot, Lane } from './boot.ts';
import type { KnownContainer } from './contexts.ts';
import type { KnownHash } from './known-hashes.ts';
import type { KnownAddress } from './known-names.ts';
import { type Image, ProcessEntry } from './process.ts';
import type { Write } from './written-files.ts';

type AvroType = ReturnType<typeof itemType>;

/** State entries contain types of packages/wire. */
const processType = itemType('EventBatch', 'processes');
const containerType = itemType('EventBatch', 'containers');

/** Types of all released versions, the newest first. They lack the fields that were appended since. */
const olderTypes = (list: 'containers' | 'processes'): readonly AvroType[] =>
  releasedSchemas()
    .filter(({ name }) => name === 'EventBatch')
    .map(({ type }) => itemTypeOf(type, list))
    .reverse();
const olderContainerTypes = olderTypes('containers');
const olderProcessTypes = olderTypes('processes');

const writer = new AvroWriter(64 * 1024);

function begin(): AvroWriter {
  writer.at = 0;
  writer.ensure(256);
  return writer;
}

/** Reads the output of `AvroWriter`. Throws SchemaError at the end of the bytes. */
class Reader extends EventCursor {
  constructor(bytes: Uint8Array) {
    super();
    this.reset(Buffer.from(bytes));
  }

  fixed(length: number): Buffer {
    const start = this.at;
    this.skip(length);
    return this.buffer.subarray(start, this.at);
  }

  text(): string {
    return this.fixed(this.long()).toString('utf8');
  }

  rest(): Buffer {
    return this.fixed(this.buffer.length - this.at);
  }

  list<T>(item: () => T): T[] {
    const items: T[] = [];
    for (let remaining = this.long(); remaining > 0; remaining--) items.push(item());
    return items;
  }
}

export function encodeProcess(entry: ProcessEntry, boot: Boot): Buffer {
  const out = begin();
  out.long(entry.ordinal);
  out.long(entry.exitTick);
  out.long(entry.exitOrdinal);
  out.long(entry.credentialsAt);
  out.long(entry.cgroupAt);
  out.boolean(entry.known);
  out.boolean(entry.ownImage);
  out.long(entry.parent?.tgid ?? 0);
  out.fixed(entry.parent?.start ?? U64_ZERO, 0, 8);
  out.value(processType, entry.toProcess(boot.hostId, boot.bootId, -1, -1, ''));
  return out.take();
}

export interface RestoredProcess {
  readonly entry: ProcessEntry;
  readonly parentTgid: number;
  readonly parentStart: Buffer;
}

export function decodeProcess(bytes: Uint8Array): RestoredProcess {
  const from = new Reader(bytes);
  const [ordinal, exitTick, exitOrdinal] = [from.long(), from.long(), from.long()];
  const [credentialsAt, cgroupAt] = [from.long(), from.long()];
  const [known, ownImage] = [from.fixed(1)[0] === 1, from.fixed(1)[0] === 1];
  const parentTgid = from.long();
  const parentStart = from.fixed(8);
  const value = decodeWhole<Process>(processType, olderProcessTypes, from.rest());
  const entry = new ProcessEntry(value.pid, Buffer.from(value.start), ordinal);
  const { execId, credentials, namespaces, loginuid, sessionId, tty } = value;
  Object.assign(entry, { exitTick, exitOrdinal, credentialsAt, known, ownImage, image: imageOf(value), execId });
  Object.assign(entry, { credentials, namespaces, loginuid, sessionId, tty });
  entry.setCgroup(Buffer.from(value.cgroup), cgroupAt);
  return { entry, parentTgid, parentStart };
}

function imageOf(value: Process): Image {
  return {
    executable: Buffer.from(value.executable),
    inode: Buffer.from(value.executableInode),
    device: value.executableDevice,
    ctime: value.executableCtime,
    hash: { sha256: Buffer.from(value.sha256), state: value.hashState },
    script: {
      inode: Buffer.from(value.scriptInode),
      device: value.scriptDevice,
      ctime: value.scriptCtime,
      hash: { sha256: Buffer.from(value.scriptSha256), state: value.scriptHashState },
    },
    flags: value.execFlags,
    args: Buffer.from(value.args),
    argsLength: value.argsLength,
    cwd: Buffer.from(value.cwd),
    stdioSockets: value.stdioSockets,
  };
}

export function encodeContainer({ value, goneTick }: KnownContainer): Buffer {
  const out = begin();
  out.long(goneTick);
  out.append(containerType.toBuffer(value));
  return out.take();
}

/** Fields are only appended, so the value of another version ends too early or too late. */
function isWhole(type: AvroType, bytes: Buffer): boolean {
  const { offset } = type.decode(bytes) as { readonly offset: number };
  return offset === bytes.length;
}

export function decodeContainer(bytes: Uint8Array): KnownContainer {
  const from = new Reader(bytes);
  const goneTick = from.long();
  return {
    goneTick,
    value: decodeWhole<Container>(containerType, olderContainerTypes, from.rest()),
    stamp: 0,
    slot: 0,
  };
}

/** Decodes bytes that this version or an older one wrote. */
function decodeWhole<T>(current: AvroType, older: readonly AvroType[], bytes: Buffer): T {
  const type = [current, ...older].find((candidate) => isWhole(candidate, bytes));
  // If no type fits, the current one throws the error.
  const resolver = type === undefined || type === current ? undefined : current.createResolver(type);
  return current.fromBuffer(bytes, resolver) as T;
}

export function encodeHash({ sha256, state, ctime, ordinal }: KnownHash): Buffer {
  const out = begin();
  out.long(ordinal);
  out.long(ctime);
  out.string(state);
  out.fixed(sha256, 0, sha256.length);
  return out.take();
}

export function decodeHash(bytes: Uint8Array): KnownHash {
  const from = new Reader(bytes);
  const [ordinal, ctime, state] = [from.long(), from.long(), from.text()];
  return { ordinal, ctime, state, sha256: Buffer.from(from.rest()) };
}

export function encodeNames({ names, ordinal }: KnownAddress): Buffer {
  const out = begin();
  out.long(ordinal);
  out.long(names.length);
  for (const { name, at } of names) {
    out.string(name);
    out.ensure(10);
    out.long(at);
  }
  return out.take();
}

export function decodeNames(bytes: Uint8Array): KnownAddress {
  const from = new Reader(bytes);
  return { ordinal: from.long(), names: from.list(() => ({ name: from.text(), at: from.long() })) };
}

export function encodeWrites(writes: readonly Write[]): Buffer {
  const out = begin();
  out.long(writes.length);
  for (const write of writes) {
    out.ensure(80);
    out.long(write.device);
    out.long(write.inodeLow);
    out.long(write.inodeHigh);
    out.long(write.tgid);
    out.long(write.startLow);
    out.long(write.startHigh);
    out.long(write.ktime);
  }
  return out.take();
}

export function decodeWrites(bytes: Uint8Array): Write[] {
  const from = new Reader(bytes);
  return from.list(() => ({
    device: from.long(),
    inodeLow: from.long(),
    inodeHigh: from.long(),
    tgid: from.long(),
    startLow: from.long(),
    startHigh: from.long(),
    ktime: from.long(),
    segment: 0,
  }));
}

/** Encodes clock, counters and lanes of a boot: the entry that changes with every batch. */
export function encodeBoot(boot: Boot): Buffer {
  const out = begin();
  const { processes, writes } = boot;
  for (const value of [boot.tick, boot.gapSequence, boot.lastActive]) out.long(value);
  for (const value of [processes.nextOrdinal, processes.nextExitOrdinal, writes.nextSegment]) out.long(value);
  out.long(boot.runs.size);
  for (const [id, run] of boot.runs) {
    out.string(id);
    out.ensure(20);
    out.long(run.size);
    for (const [key, lane] of run) encodeLane(out, key, lane);
  }
  // Appended fields: entries of 0.1.0 end before them.
  out.ensure(10);
  out.long(boot.wallOffset);
  out.boolean(boot.hashing);
  if (boot.last === null) return out.take();
  const { run, sequence, ktime, isFinal } = boot.last;
  out.string(run);
  out.ensure(32);
  out.long(sequence);
  out.long(ktime);
  out.boolean(isFinal);
  return out.take();
}

function encodeLane(out: AvroWriter, key: number, { tracker, drops, explained }: Lane): void {
  const { highest, holes } = tracker.state;
  out.ensure(64 + holes.length * 32);
  out.long(key);
  out.long(highest);
  out.long(holes.length);
  for (const { from, to, due } of holes) {
    out.long(from);
    out.long(to);
    out.long(due);
  }
  for (const counters of [drops, explained]) {
    const named = Object.entries(counters);
    out.ensure(20);
    out.long(named.length);
    for (const [cause, count] of named) {
      out.string(cause);
      out.ensure(20);
      out.long(count);
    }
  }
}

export function decodeBoot(boot: Boot, bytes: Uint8Array): void {
  const from = new Reader(bytes);
  boot.tick = from.long();
  boot.gapSequence = from.long();
  boot.lastActive = from.long();
  boot.processes.nextOrdinal = from.long();
  boot.processes.nextExitOrdinal = from.long();
  boot.writes.nextSegment = from.long();
  for (let runs = from.long(); runs > 0; runs--) {
    const id = from.text();
    boot.runs.set(id, new Map(from.list(() => decodeLane(from))));
  }
  if (from.at < bytes.length) boot.wallOffset = from.long();
  if (from.at < bytes.length) boot.hashing = from.fixed(1)[0] === 1;
  if (from.at === bytes.length) return;
  const [run, sequence, ktime] = [from.text(), from.long(), from.long()];
  boot.last = { run, sequence, ktime, isFinal: from.fixed(1)[0] === 1 };
}

function decodeLane(from: Reader): [number, Lane] {
  const key = from.long();
  const highest = from.long();
  const holes = from.list(() => ({ from: from.long(), to: from.long(), due: from.long() }));
  const counters = (): Record<string, number> => Object.fromEntries(from.list(() => [from.text(), from.long()]));
  return [key, { tracker: new SequenceTracker({ highest, holes }), drops: counters(), explained: counters() }];
}
