import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { bootMicros, readJson, writeAtomically } from '@ringfence/host-kit';
import { BpfMap } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { isPinned } from '../pins/paths.ts';
import { RunState } from '../pins/run-state.ts';
import { damagedHooks } from './own-links.ts';
import { TamperingLog } from './tampering-log.ts';

const MAP = 'rf_tamperings';
const MARKER = 'sensor.json';
const ENTRY = records.SIZEOF_TAMPERING_ENTRY;
const PROGRAM_MAX = records.TAMPERING_ENTRY_PROGRAM_LENGTH;

interface Marker {
  readonly bootId: string;
  readonly pinPath: string;
}

/** Leaves a marker for the next start: the sensor is in the kernel unless `unmarkSensor` was called. */
export function markSensor(stateDir: string, marker: Marker): void {
  writeAtomically(join(stateDir, MARKER), JSON.stringify(marker));
}

export function unmarkSensor(stateDir: string): void {
  rmSync(join(stateDir, MARKER), { force: true });
}

/**
 * Returns what happened while no agent ran and what this sensor can't report itself: that it, or one of its hooks, was
 * removed. If the pinned sensor will be replaced, adds the undelivered entries of its map.
 * @param current boot id and pin path of this start
 */
export function pastTampering(stateDir: string, current: Marker, resumable: boolean): readonly Buffer[] {
  const { pinPath } = current;
  if (!isPinned(RunState.path(pinPath))) return hasMarker(stateDir, current) ? [removalEntry('', 1)] : [];
  using run = RunState.open(pinPath);
  if (!run.hasCurrentLayout) return [];
  // With 0 hooks, the agent was detaching them itself when it died.
  const damaged = run.hooks === 0 ? [] : damagedHooks(pinPath);
  const entries = resumable ? [] : undelivered(pinPath, run);
  return damaged.length === 0 ? entries : [...entries, removalEntry(damaged[0] ?? '', damaged.length)];
}

function hasMarker(stateDir: string, { bootId, pinPath }: Marker): boolean {
  const marker = readJson(join(stateDir, MARKER)) as Partial<Marker> | null;
  return marker?.bootId === bootId && marker.pinPath === pinPath;
}

function undelivered(pinPath: string, run: RunState): readonly Buffer[] {
  if (!isPinned(`${pinPath}/${MAP}`)) return [];
  using map = BpfMap.openPinnedBytes(`${pinPath}/${MAP}`);
  using log = new TamperingLog(map, run);
  return log.take().entries;
}

/** Makes the entry that the sensor would have written. `program`: the first removed one of `count`, or '' for all. */
function removalEntry(program: string, count: number): Buffer {
  const entry = Buffer.alloc(ENTRY);
  entry.writeBigUInt64LE(BigInt(bootMicros()) * 1000n, records.HEADER_KTIME);
  entry.writeUInt32LE(ENTRY, records.HEADER_SIZE);
  entry.writeUInt16LE(records.Kind.TAMPERING, records.HEADER_KIND);
  entry.writeUInt32LE(records.TamperingOperation.TAMPERING_SENSOR_REMOVED, records.TAMPERING_OPERATION);
  entry.writeUInt32LE(count, records.TAMPERING_COUNT);
  const length = entry.write(program.slice(0, PROGRAM_MAX), records.TAMPERING_ENTRY_PROGRAM, 'latin1');
  entry.writeUInt32LE(records.TAMPERING_ENTRY_PROGRAM, records.TAMPERING_PROGRAM + records.TEXT_OFFSET);
  entry.writeUInt32LE(length, records.TAMPERING_PROGRAM + records.TEXT_KEPT);
  entry.writeUInt32LE(length, records.TAMPERING_PROGRAM + records.TEXT_LENGTH);
  return entry;
}
