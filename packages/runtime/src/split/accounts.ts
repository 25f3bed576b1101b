import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { OperatorError } from '@ringfence/base';
import type { Config } from '@ringfence/config';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Throws OperatorError when there is no such user, or when it is root. `setting`: the setting that names it. */
export function accountOf(name: string, setting = 'user'): Account {
  const lookUp = (flag: string): number => {
    const { status, stdout } = spawnSync(commandPath('id'), [flag, '--', name], { encoding: 'utf8' });
    if (status !== 0)
      throw new OperatorError(
        `${setting}: there is no user ${name} on this machine: useradd --system --no-create-home --shell /usr/sbin/nologin ${name}`,
      );
    return Number(stdout);
  };
  const account = { name, uid: lookUp('-u'), gid: lookUp('-g') };
  if (account.uid === 0)
    throw new OperatorError(`${setting}: ${name} is root: name an unprivileged user, or leave it empty`);
  return account;
}

/** Returns the account of the process with capabilities. Throws OperatorError when it is missing, or is `user`. */
export function sensorAccountOf({ user, sensor }: Pick<Config, 'user' | 'sensor'>): Account {
  const account = accountOf(sensor.user || `${user}-sensor`, 'sensor.user');
  if (account.uid !== accountOf(user).uid) return account;
  throw new OperatorError(
    `sensor.user: ${account.name} is the user of the other process: the process with capabilities needs a user of its own`,
  );
}

/** Returns the absolute path of a command in PATH. Throws OperatorError when there is none. */
export function commandPath(name: string): string {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, name));
  const path = candidates.find((candidate) => candidate.startsWith('/') && existsSync(candidate));
  if (path !== undefined) return path;
  throw new OperatorError(`user needs the command ${name}, which is not there: apt-get install coreutils util-linux`);
}
