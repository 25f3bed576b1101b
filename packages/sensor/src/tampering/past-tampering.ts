import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, writeAtomically } from '@ringfence/host-kit';
import { BpfMap } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { isPinned } from '../pins/paths.ts';
import { RunState } from '../pins/run-state.ts';
import { madeEntry } from './made-entry.ts';
import { damagedHooks } from './own-links.ts';
import { TamperingLog } from './tampering-log.ts';

const MAP = 'rf_tamperings';
const MARKER = 'sensor.json';
const { TAMPERING_SENSOR_REMOVED: REMOVED } = records.TamperingOperation;

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
  if (!isPinned(RunState.path(pinPath))) return hasMarker(stateDir, current) ? [madeEntry(REMOVED, '', 1)] : [];
  using run = RunState.open(pinPath);
  if (!run.hasCurrentLayout) return [];
  // With 0 hooks, the agent was detaching them itself when it died.
  const damaged = run.hooks === 0 ? [] : damagedHooks(pinPath);
  const entries = resumable ? [] : undelivered(pinPath, run);
  return damaged.length === 0 ? entries : [...entries, madeEntry(REMOVED, damaged[0] ?? '', damaged.length)];
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
