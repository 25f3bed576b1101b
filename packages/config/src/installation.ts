import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '@ringfence/base';
import type { Config } from './config.ts';

/** Root folder of the installed program: rules, policies, the sensor. */
export const HOME: string = fileURLToPath(new URL('../../../', import.meta.url));

/** The sensor as `packages/sensor/src/build/build-sensor.ts` builds it for this kernel. */
export const SENSOR_OBJECT: string = builtObject('ringfence.bpf.o');

/** The programs that `ringfence trace` loads. */
export const TRACER_OBJECT: string = builtObject('trace.bpf.o');

/** A tree that was built on another architecture keeps this machine's objects in a folder named after it. */
function builtObject(name: string): string {
  const forThisArchitecture = join(HOME, 'dist/sensor', process.arch, name);
  return existsSync(forThisArchitecture) ? forThisArchitecture : join(HOME, 'dist/sensor', name);
}

/** Throws OperatorError when the sensor has not been built. */
export function sensorObject(): string {
  if (existsSync(SENSOR_OBJECT)) return SENSOR_OBJECT;
  throw new OperatorError(
    `the sensor is not built (${SENSOR_OBJECT}): run npm start, or node packages/sensor/src/build/build-sensor.ts`,
  );
}

/** The unix socket on which a running `up` answers commands. */
export const socketOf = ({ runDir }: Pick<Config, 'runDir'>): string => join(runDir, 'ringfence.sock');

/** Folders and files of the configured rules; `builtin` stands for the rules that come with Ringfence. */
export function rulePaths({ detector }: Pick<Config, 'detector'>): string[] {
  return detector.rules.map((path) => (path === 'builtin' ? join(HOME, 'rules') : path));
}

/** State directory of the process with capabilities, if it has a user of its own. */
export const sensorStateDirOf = ({ stateDir, sensor }: Pick<Config, 'stateDir' | 'sensor'>): string =>
  sensor.stateDir || `${stateDir}-sensor`;
