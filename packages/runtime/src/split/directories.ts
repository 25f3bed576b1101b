import { chmodSync, lchownSync, lstatSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { distrustOf, makeFolder, OperatorError } from '@ringfence/base';
import { type Config, sensorStateDirOf } from '@ringfence/config';
import type { Account } from './accounts.ts';

const ROOT = 0;
const PRIVATE = 0o700;
/** Root announces containers there: the sensor ignores files that the services' user could change. */
const OF_ROOT = 'containers.d';

/**
 * Gives each process its directories. `sensor` is null when no collector is configured. Throws OperatorError when a
 * directory belongs to a third user, or when the services' user could replace a directory of the sensor.
 */
export function giveDirectories(config: Config, services: Account, sensor: Account | null): void {
  for (const path of [config.stateDir, config.runDir]) give(path, services);
  if (sensor === null) return;
  emptyPinsOf(services, config.sensor.pinPath);
  for (const path of sensorDirectoriesOf(config)) {
    const real = give(path, sensor, true);
    const distrust = distrustOf(real, sensor.uid);
    if (distrust === null) continue;
    throw new OperatorError(
      `${path} must be out of reach of every user but ${sensor.name}: ${distrust.message}; ${distrust.command}`,
    );
  }
}

function sensorDirectoriesOf(config: Config): string[] {
  const { stateDir, sensor, collector } = config;
  const isBelowState = !relative(stateDir, collector.spool.path).startsWith('..');
  return [sensorStateDirOf(config), sensor.pinPath, ...(isBelowState ? [] : [collector.spool.path])];
}

/**
 * Removes pins that earlier versions left to the services' user, who may have changed the maps behind them. The owner
 * of the directory is changed first, so that this user can no longer replace an entry.
 */
function emptyPinsOf({ uid }: Account, pinPath: string): void {
  if (lstatSync(pinPath, { throwIfNoEntry: false })?.uid !== uid) return;
  lchownSync(pinPath, ROOT, ROOT);
  chmodSync(pinPath, PRIVATE);
  for (const name of readdirSync(pinPath)) rmSync(join(pinPath, name), { recursive: true });
}

/**
 * Makes a directory that only the account can enter, and returns its real path.
 *
 * @param narrow whether an existing directory of root also becomes private
 */
function give(path: string, account: Account, narrow = false): string {
  // Only the directory itself is private; its parents stay open to other users.
  makeFolder(dirname(path), 0o755);
  makeFolder(path, PRIVATE);
  const real = realpathSync(path);
  if (narrow && lstatSync(real).uid === ROOT) chmodSync(real, PRIVATE);
  giveDirectory(real, account);
  return real;
}

/**
 * Changes the owner of a directory and its contents from root to the account. Skips a directory that the account owns
 * already: the account may have put links to files of other users there. Throws OperatorError.
 */
function giveDirectory(path: string, { name, uid, gid }: Account): void {
  const { uid: owner, mode } = lstatSync(path);
  if (owner === uid) return;
  if (owner !== ROOT || (mode & 0o022) !== 0)
    throw new OperatorError(
      `${path} must belong to ${name}, or to root and be writable only by root: chown -R ${name} ${path}`,
    );
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  for (const entry of paths) if (!isOfRoot(path, entry)) lchownSync(entry, uid, gid);
  // Last, so that an interrupted walk is repeated at the next start.
  lchownSync(path, uid, gid);
}

const isOfRoot = (directory: string, entry: string): boolean => relative(directory, entry).split(sep)[0] === OF_ROOT;
