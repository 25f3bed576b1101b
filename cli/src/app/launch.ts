import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lchownSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Config } from '@ringfence/config';
import { createLogger } from '@ringfence/telemetry';
import { CliError } from '../errors.ts';
import { makeFolder } from '../output-file.ts';
import { type Capability, capabilitiesFor, capabilitiesToGive, missingCapabilities } from './capabilities.ts';
import { setInherited, socketPair } from './descriptors.ts';
import { prepareHost } from './host.ts';
import { type Part, partEnvironment } from './part.ts';
import { assertReachable, type Needed } from './reach.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Where the sensor's process finds its end of the connection. */
const SENSOR_FD = 3;

/**
 * Becomes `config.user`: starts the sensor's process with the few capabilities that it needs, and goes on as the same process without any. What needs root
 * is done before: mounts, and directories that must be that user's. Returns never; throws CliError.
 */
export function launch(config: Config): never {
  const account = accountOf(config.user);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && process.getuid?.() !== account.uid)
    throw new CliError(`user is ${account.name}: start this as root, or as ${account.name}`);
  const setpriv = commandPath('setpriv');
  if (isRoot) assertReachable(account.name, [setpriv, ...identityArguments(account), '--'], neededBy(config));
  const watches = config.services.includes('collector');
  const needed = watches ? capabilitiesToGive(capabilitiesFor(config)) : [];
  if (watches) prepareHost(createLogger(config.log), config);
  if (isRoot) giveDirectories(config, account, watches);
  const rights = (kept: readonly Capability[]): string[] => [
    ...(isRoot ? identityArguments(account) : []),
    ...keeping(kept, missingCapabilities([SETPCAP]).length === 0),
    '--no-new-privs',
    '--',
    ...command(),
  ];
  const environment = (part: Part): Record<string, string> => ({ ...ownEnvironment(config), ...partEnvironment(part) });
  const [own, other] = watches ? socketPair() : [];
  let link: { readonly fd: number; readonly pid: number } | null = null;
  if (own !== undefined && other !== undefined) {
    const sensor = spawn(setpriv, rights(needed), {
      stdio: ['ignore', 'inherit', 'inherit', other],
      env: environment({ name: 'sensor', fd: SENSOR_FD, pid: process.pid }),
    });
    if (sensor.pid === undefined) throw new CliError(`${setpriv} can't be started`);
    setInherited(own, true);
    link = { fd: own, pid: sensor.pid };
  }
  if (process.execve === undefined) throw new CliError('user needs Node 24: npm start brings it');
  return process.execve(setpriv, ['setpriv', ...rights([])], environment({ name: 'services', link }));
}

/** What the user's processes open before they can say what is wrong. */
function neededBy({ stateDir, runDir }: Config): Needed[] {
  return [
    { path: process.execPath, right: 'execute' },
    { path: realpathSync(process.argv[1] ?? ''), right: 'read' },
    ...[stateDir, runDir].map((path): Needed => ({ path, right: 'given' })),
  ];
}

const SETPCAP: Capability = { name: 'CAP_SETPCAP', for: 'give up capabilities for ever' };

const identityArguments = ({ name, gid }: Account): string[] => [`--reuid=${name}`, `--regid=${gid}`, '--init-groups'];

/** @param bounded whether the bounding set may be changed */
function keeping(kept: readonly Capability[], bounded: boolean): string[] {
  const set = ['-all', ...kept.map(({ name }) => `+${name.replace('CAP_', '').toLowerCase()}`)].join();
  return [`--inh-caps=${set}`, `--ambient-caps=${set}`, ...(bounded ? [`--bounding-set=${set}`] : [])];
}

/** This very program, with the same arguments. */
const command = (): string[] => [process.execPath, ...process.execArgv, ...process.argv.slice(1)];

/** What depends on who runs it stays what it was. */
function ownEnvironment({ stateDir, runDir }: Config): Record<string, string> {
  const file = '/etc/ringfence/ringfence.yaml';
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    ...(existsSync(file) && process.getuid?.() === 0 ? { RINGFENCE_CONFIG: file } : {}),
    ...Object.fromEntries(inherited),
    RINGFENCE_STATE_DIR: stateDir,
    RINGFENCE_RUN_DIR: runDir,
  };
}

/** Throws CliError when there is no such user, or it is root. */
export function accountOf(name: string): Account {
  const ask = (flag: string): number => {
    const { status, stdout } = spawnSync(commandPath('id'), [flag, '--', name], { encoding: 'utf8' });
    if (status !== 0)
      throw new CliError(
        `user: there is no user ${name} on this machine: useradd --system --no-create-home --shell /usr/sbin/nologin ${name}`,
      );
    return Number(stdout);
  };
  const account = { name, uid: ask('-u'), gid: ask('-g') };
  if (account.uid === 0) throw new CliError(`user: ${name} is root: name an unprivileged user, or leave it empty`);
  return account;
}

export function commandPath(name: string): string {
  const found = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, name));
  const path = found.find((candidate) => candidate.startsWith('/') && existsSync(candidate));
  if (path !== undefined) return path;
  throw new CliError(`user needs the command ${name}, which is not there: apt-get install coreutils util-linux`);
}

function giveDirectories({ stateDir, runDir, sensor }: Config, account: Account, watches: boolean): void {
  for (const path of [stateDir, runDir, ...(watches ? [sensor.pinPath] : [])]) {
    // Who may pass through the directories above is not ours to narrow.
    makeFolder(dirname(path), 0o755);
    makeFolder(path, 0o700);
    give(realpathSync(path), account);
  }
}

/** A directory of root's with all that is in it. What is the user's already is left as it is: it may have put links to others' files there. */
function give(path: string, { name, uid, gid }: Account): void {
  const { uid: owner, mode } = lstatSync(path);
  if (owner === uid) return;
  if (owner !== 0 || (mode & 0o022) !== 0)
    throw new CliError(`${path} is neither ${name}'s nor root's alone: give it to ${name} (chown -R ${name} ${path})`);
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  for (const entry of entries) lchownSync(join(entry.parentPath, entry.name), uid, gid);
  // Last: a walk that was cut short is done again.
  lchownSync(path, uid, gid);
}
