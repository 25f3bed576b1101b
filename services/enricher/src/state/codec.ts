import { createStateDecoder, type StateDecoder } from '@ringfence/service-kit';
import {
  AvroWriter,
  FRAME_BYTES,
  frame,
  type Process,
  type RecordTypes,
  SequenceTracker,
  type StateBoot,
  typeOf,
  U64_ZERO,
} from '@ringfence/wire';
import type { Boot, Lane } from './boot.ts';
import type { KnownContainer } from './contexts.ts';
import { type EnricherState, isLegacy, readLegacy } from './legacy.ts';
import { type Image, ProcessEntry } from './process.ts';

/** Returns the record of a state entry. Throws SchemaError if it is malformed. */
export const decodeState: StateDecoder<EnricherState> = createStateDecoder<EnricherState>({
  isLegacy,
  read: readLegacy,
});

const writer = new AvroWriter(64 * 1024);

/** Returns the same bytes as `encode` of packages/wire. Hot path: reuses its buffer, so each entry is copied once. */
export function encodeState<N extends EnricherState>(name: N, value: RecordTypes[N]): Buffer {
  writer.at = 0;
  writer.fixed(frame(name), 0, FRAME_BYTES);
  writer.value(typeOf(name), value);
  return writer.take();
}

export function encodeProcess(entry: ProcessEntry, { hostId, bootId }: Boot): Buffer {
  const { ordinal, exitTick, exitOrdinal, credentialsAt, cgroupAt, known, ownImage, parent } = entry;
  return encodeState('StateKnownProcess', {
    ordinal,
    exitTick,
    exitOrdinal,
    credentialsAt,
    cgroupAt,
    known,
    ownImage,
    parentPid: parent?.tgid ?? 0,
    parentStart: parent?.start ?? U64_ZERO,
    process: entry.toProcess(hostId, bootId, -1, -1, ''),
  });
}

export interface RestoredProcess {
  readonly entry: ProcessEntry;
  readonly parentTgid: number;
  readonly parentStart: Buffer;
}

export function decodeProcess(bytes: Uint8Array): RestoredProcess {
  const record = decodeState('StateKnownProcess', bytes);
  const { ordinal, exitTick, exitOrdinal, credentialsAt, cgroupAt, known, ownImage, process } = record;
  const entry = new ProcessEntry(process.pid, Buffer.from(process.start), ordinal);
  const { execId, credentials, namespaces, loginuid, sessionId, tty, processGroup, processSession } = process;
  const { serverPort, localServerPort } = process;
  Object.assign(entry, { exitTick, exitOrdinal, credentialsAt, known, ownImage, image: imageOf(process), execId });
  Object.assign(entry, { credentials, namespaces, loginuid, sessionId, tty, processGroup, processSession });
  Object.assign(entry, { serverPort, localServerPort });
  entry.setCgroup(Buffer.from(process.cgroup), cgroupAt);
  return { entry, parentTgid: record.parentPid, parentStart: Buffer.from(record.parentStart) };
}

function imageOf(process: Process): Image {
  return {
    executable: Buffer.from(process.executable),
    inode: Buffer.from(process.executableInode),
    device: process.executableDevice,
    ctime: process.executableCtime,
    hash: { sha256: Buffer.from(process.sha256), state: process.hashState },
    script: {
      inode: Buffer.from(process.scriptInode),
      device: process.scriptDevice,
      ctime: process.scriptCtime,
      hash: { sha256: Buffer.from(process.scriptSha256), state: process.scriptHashState },
    },
    flags: process.execFlags,
    args: Buffer.from(process.args),
    argsLength: process.argsLength,
    cwd: Buffer.from(process.cwd),
    stdioSockets: process.stdioSockets,
    startedAs: Buffer.from(process.startedAs),
    environment: Buffer.from(process.environment),
    file: null,
  };
}

export const encodeContainer = ({ value, goneTick }: KnownContainer): Buffer =>
  encodeState('StateKnownContainer', { goneTick, container: value });

export function decodeContainer(bytes: Uint8Array): KnownContainer {
  const { goneTick, container } = decodeState('StateKnownContainer', bytes);
  return { goneTick, value: container, stamp: 0, slot: 0 };
}

/** Encodes clock, counters and lanes of a boot: the entry that changes with every batch. */
export function encodeBoot(boot: Boot): Buffer {
  const { tick, gapSequence, lastActive, wallOffset, hashing, last, processes, writes } = boot;
  return encodeState('StateBoot', {
    tick,
    gapSequence,
    lastActive,
    nextOrdinal: processes.nextOrdinal,
    nextExitOrdinal: processes.nextExitOrdinal,
    nextSegment: writes.nextSegment,
    wallOffset,
    hashing,
    runs: Array.from(boot.runs, ([id, run]) => ({ id, lanes: Array.from(run, laneRecord) })),
    last,
  });
}

type LaneRecord = StateBoot['runs'][number]['lanes'][number];

function laneRecord([key, { tracker, drops, explained }]: readonly [number, Lane]): LaneRecord {
  const { highest, holes } = tracker.state;
  return { key, highest, holes, drops, explained };
}

export function fillBoot(boot: Boot, bytes: Uint8Array): void {
  const { nextOrdinal, nextExitOrdinal, nextSegment, runs, last, ...plain } = decodeState('StateBoot', bytes);
  Object.assign(boot, plain, { last: last === null ? null : { ...last } });
  boot.processes.nextOrdinal = nextOrdinal;
  boot.processes.nextExitOrdinal = nextExitOrdinal;
  boot.writes.nextSegment = nextSegment;
  for (const { id, lanes } of runs) boot.runs.set(id, new Map(lanes.map(restoredLane)));
}

function restoredLane({ key, highest, holes, drops, explained }: LaneRecord): [number, Lane] {
  return [key, { tracker: new SequenceTracker({ highest, holes }), drops, explained }];
}
