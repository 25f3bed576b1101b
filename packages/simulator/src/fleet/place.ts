import { existsSync, globSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { OperatorError } from '@ringfence/base';
import { type Config, loadConfig } from '@ringfence/config';
import { ApiClient } from '@ringfence/runtime/client';

/** Where a fleet is kept when nobody says where: one at a time, and commands find it. */
export const DEFAULT_PLACE: string = join(tmpdir(), 'ringfence-fleet');

/** The directory of a fleet on this machine. The default one goes when it is disposed of. */
export interface Place extends Disposable {
  readonly directory: string;
  readonly isDefault: boolean;
}

/** Rejects with OperatorError when another fleet runs there, or when the default place is somebody else's. */
export async function openPlace(given: string | undefined): Promise<Place> {
  const directory = given === undefined ? DEFAULT_PLACE : resolve(given);
  if (await new ApiClient(join(directory, 'registrar/run/ringfence.sock')).running())
    throw new OperatorError(`a fleet runs in ${directory}: stop it, or give this one another --dir`);
  if (given !== undefined) return { directory, isDefault: false, [Symbol.dispose]: () => {} };
  removeLeft(directory);
  mkdirSync(directory, { mode: 0o700 });
  return {
    directory,
    isDefault: true,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Of a fleet that was killed. Others can make what they like in a temporary directory: theirs is not touched. */
function removeLeft(directory: string): void {
  const there = lstatSync(directory, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isDirectory() || there.uid !== process.getuid?.())
    throw new OperatorError(`${directory} belongs to somebody else: give --dir another place`);
  rmSync(directory, { recursive: true });
}

/** Settings of the process that the demo asks. `given`: a flag's value, true without one. Throws OperatorError when no fleet runs there. */
export const demoConfigOf = (given: string | true): Config => configOf(given, 'auditor-1');

/** Settings of somebody who may ask the brokers everything. */
export const adminConfigOf = (given: string | true): Config => configOf(given, 'admin');

/** Of all its processes. */
export function socketsOf(given: string | true): string[] {
  const directory = given === true ? DEFAULT_PLACE : given;
  return globSync('*/run/ringfence.sock', { cwd: directory }).map((socket) => join(directory, socket));
}

function configOf(given: string | true, member: string): Config {
  const directory = given === true ? DEFAULT_PLACE : given;
  const file = join(directory, member, 'ringfence.yaml');
  if (!existsSync(file)) throw new OperatorError(`no fleet runs in ${directory}: start it with "ringfence dev fleet"`);
  return loadConfig({ file, flags: [] });
}
