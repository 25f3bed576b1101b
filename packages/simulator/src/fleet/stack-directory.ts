import { existsSync, globSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { OperatorError } from '@ringfence/base';
import { type Config, loadConfig } from '@ringfence/config';
import { ApiClient } from '@ringfence/runtime/client';

/** Directory of a fleet without --dir: one at a time, so that other commands find it. */
export const DEFAULT_STACK_DIRECTORY: string = join(tmpdir(), 'ringfence-fleet');

/** Directory with all files of a fleet on this machine. Disposing it removes the default directory, and no other. */
export interface StackDirectory extends Disposable {
  readonly directory: string;
  readonly isDefault: boolean;
}

/**
 * Opens the directory of a new fleet. Rejects with OperatorError when a fleet runs in it, or when the default directory
 * belongs to another user.
 */
export async function openStackDirectory(path: string | undefined): Promise<StackDirectory> {
  const directory = path === undefined ? DEFAULT_STACK_DIRECTORY : resolve(path);
  if (await new ApiClient(join(directory, 'registrar/run/ringfence.sock')).isRunning())
    throw new OperatorError(`a fleet runs in ${directory}: stop it, or choose another directory with --dir`);
  if (path !== undefined) return { directory, isDefault: false, [Symbol.dispose]: () => {} };
  removeStale(directory);
  mkdirSync(directory, { mode: 0o700 });
  return {
    directory,
    isDefault: true,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Removes the directory of a killed fleet. Throws OperatorError if another user has created it in /tmp. */
function removeStale(directory: string): void {
  const stats = lstatSync(directory, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory() || stats.uid !== process.getuid?.())
    throw new OperatorError(`${directory} belongs to another user: choose another directory with --dir`);
  rmSync(directory, { recursive: true });
}

/** Value of --fleet: a directory, or true for the default directory. */
type FleetOption = string | true;

const directoryOf = (option: FleetOption): string => (option === true ? DEFAULT_STACK_DIRECTORY : option);

/** Returns the settings of the member that the demo queries. Throws OperatorError when there is no such fleet. */
export const demoConfigOf = (option: FleetOption): Config => memberConfigOf(option, 'auditor-1');

/** Returns settings with all rights on the brokers. Throws OperatorError when there is no such fleet. */
export const adminConfigOf = (option: FleetOption): Config => memberConfigOf(option, 'admin');

/** Returns the API sockets of all members. */
export function socketsOf(option: FleetOption): string[] {
  const directory = directoryOf(option);
  return globSync('*/run/ringfence.sock', { cwd: directory }).map((socket) => join(directory, socket));
}

function memberConfigOf(option: FleetOption, member: string): Config {
  const directory = directoryOf(option);
  const file = join(directory, member, 'ringfence.yaml');
  if (!existsSync(file)) throw new OperatorError(`no fleet runs in ${directory}: start it with "ringfence dev fleet"`);
  return loadConfig({ file, flags: [] });
}
