import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BpfMap } from '@ringfence/libbpf-ts';
import { wantedPrograms } from './attach/user-space-probes.ts';
import { SensorError } from './errors.ts';
import { loadObject } from './load/load-object.ts';
import type { SensorOptions } from './options.ts';
import { removePinDirectory, removePins } from './pins/directory.ts';
import { freezeMaps } from './pins/freeze-maps.ts';
import { isPinned, ringPath } from './pins/paths.ts';
import { RunState } from './pins/run-state.ts';
import { CUSTOM_PROGRAMS } from './programs.ts';
import { Sensor } from './sensor.ts';
import { damagedHooks, noteObjects } from './tampering/own-links.ts';

/**
 * Loads the sensor. Resumes the pinned one if it is the same sensor, and replaces it otherwise. Attaches nothing yet.
 * Throws SensorError.
 */
export function openSensor(options: SensorOptions): Sensor {
  const { pinPath, sensorObject } = options;
  const hash = hashOf(sensorObject);
  if (isResumable(options)) return load(options, RunState.open(pinPath), true);
  removePins(pinPath);
  try {
    return load(options, RunState.create(pinPath, hash), false);
  } catch (error) {
    removePinDirectory(pinPath);
    throw error;
  }
}

/** Whether the pinned programs belong to this very sensor and are all attached, and its rings have the wanted sizes. */
export function isResumable(options: SensorOptions): boolean {
  const { pinPath, sensorObject, ringSecurityBytes, ringBulkBytes } = options;
  if (!isPinned(RunState.path(pinPath))) return false;
  using run = RunState.open(pinPath);
  if (run.hooks === 0 || damagedHooks(pinPath).length > 0 || run.objectHash !== hashOf(sensorObject)) return false;
  return ringBytes(pinPath, 'security') === ringSecurityBytes && ringBytes(pinPath, 'bulk') === ringBulkBytes;
}

function load(options: SensorOptions, run: RunState, resumed: boolean): Sensor {
  const { sensorObject: path, pinPath, ringSecurityBytes, ringBulkBytes, probes, customProbes = [] } = options;
  using stack = new DisposableStack();
  stack.use(run);
  const loaded = loadObject({
    ...{ path, pinPath, ringSecurityBytes, ringBulkBytes },
    programs: !resumed,
    tracesFunctions: run.tracesFunctions,
    probes: new Set([...wantedPrograms(probes), ...(customProbes.length > 0 ? CUSTOM_PROGRAMS : [])]),
  });
  if (!resumed) run.tracesFunctions = loaded.tracepointReason === undefined;
  noteObjects(loaded.object, pinPath);
  freezeMaps(pinPath);
  stack.move();
  return new Sensor({ options, loaded, run, resumed });
}

function hashOf(path: string): bigint {
  try {
    return createHash('sha256').update(readFileSync(path)).digest().readBigUInt64LE();
  } catch (cause) {
    throw new SensorError(`the sensor ${path} can't be read: ${(cause as Error).message}; build it with "npm start"`, {
      cause,
    });
  }
}

/** Returns 0 if the ring's pin was removed. */
function ringBytes(pinPath: string, lane: 'security' | 'bulk'): number {
  if (!isPinned(ringPath(pinPath, lane))) return 0;
  using map = BpfMap.openPinnedBytes(ringPath(pinPath, lane));
  return map.info.maxEntries;
}
