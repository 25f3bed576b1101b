import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lchownSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { makeFolder, OperatorError } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { createLogger } from '@ringfence/telemetry';
import { type Capability, capabilitiesFor, capabilitiesToGive, missingCapabilities } from '../host/capabilities.ts';
import { prepareHost } from '../host/prepare-host.ts';
import { setInherited, socketPair } from './descriptors.ts';
import { type ProcessRole, processRoleEnvironment, type SensorConnection } from './process-role.ts';
import { assertReachable, type Needed } from './reach.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Descriptor of the connection in the sensor's process. */
const SENSOR_FD = 3;

/**
 * Starts the sensor's process as `config.user` with the capabilities that it needs, then replaces this process by the
 * services' process, which has the same user and no capabilities. While it is still root, this process mounts file
 * systems and changes the owner of directories. Never returns; throws OperatorError.
 */
export function launch(config: Config): never {
  const account = accountOf(config.user);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && process.getuid?.() !== account.uid)
    throw new OperatorError(`user is ${account.name}: start this as root, or as ${account.name}`);
  const setpriv = commandPath('setpriv');
  if (isRoot) assertReachable(account.name, [setpriv, ...accountArguments(account), '--'], neededBy(config));
  const runsCollector = config.services.includes('collector');
  const needed = runsCollector ? capabilitiesToGive(capabilitiesFor(config)) : [];
  if (runsCollector) prepareHost(createLogger(config.log), config);
  if (isRoot) giveDirectories(config, account, runsCollector);
  const setprivArguments = (kept: readonly Capability[]): string[] => [
    ...(isRoot ? accountArguments(account) : []),
    ...capabilityArguments(kept, missingCapabilities([SETPCAP]).length === 0),
    '--no-new-privs',
    '--',
    ...currentCommand(),
  ];
  const environment = (role: ProcessRole): Record<string, string> => ({
    ...baseEnvironment(config),
    ...processRoleEnvironment(role),
  });
  let sensor: SensorConnection | null = null;
  if (runsCollector) {
    const [servicesEnd, sensorEnd] = socketPair();
    const child = spawn(setpriv, setprivArguments(needed), {
      stdio: ['ignore', 'inherit', 'inherit', sensorEnd],
      env: environment({ name: 'sensor', fd: SENSOR_FD, pid: process.pid }),
    });
    if (child.pid === undefined) throw new OperatorError(`${setpriv} can't be started`);
    setInherited(servicesEnd, true);
    sensor = { fd: servicesEnd, pid: child.pid };
  }
  if (process.execve === undefined) throw new OperatorError('user needs Node 24: npm start brings it');
  const servicesEnvironment = environment({ name: 'services', sensor });
  return process.execve(setpriv, ['setpriv', ...setprivArguments([])], servicesEnvironment);
}

/** What the user's processes open before they can report an error. */
function neededBy({ stateDir, runDir }: Config): Needed[] {
  return [
    { path: process.execPath, right: 'execute' },
    { path: realpathSync(process.argv[1] ?? ''), right: 'read' },
    ...[stateDir, runDir].map((path): Needed => ({ path, right: 'given' })),
  ];
}

const SETPCAP: Capability = { name: 'CAP_SETPCAP', for: 'drop capabilities from the bounding set' };

const accountArguments = ({ name, gid }: Account): string[] => [`--reuid=${name}`, `--regid=${gid}`, '--init-groups'];

/** @param canBound whether this process may change its bounding set */
function capabilityArguments(kept: readonly Capability[], canBound: boolean): string[] {
  const set = ['-all', ...kept.map(({ name }) => `+${name.replace('CAP_', '').toLowerCase()}`)].join();
  return [`--inh-caps=${set}`, `--ambient-caps=${set}`, ...(canBound ? [`--bounding-set=${set}`] : [])];
}

const currentCommand = (): string[] => [process.execPath, ...process.execArgv, ...process.argv.slice(1)];

/** The environment of this process. Settings whose default depends on the user are set to their current value. */
function baseEnvironment({ stateDir, runDir }: Config): Record<string, string> {
  const file = '/etc/ringfence/ringfence.yaml';
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    ...(existsSync(file) && process.getuid?.() === 0 ? { RINGFENCE_CONFIG: file } : {}),
    ...Object.fromEntries(inherited),
    RINGFENCE_STATE_DIR: stateDir,
    RINGFENCE_RUN_DIR: runDir,
  };
}

/** Throws OperatorError when there is no such user, or when it is root. */
export function accountOf(name: string): Account {
  const lookUp = (flag: string): number => {
    const { status, stdout } = spawnSync(commandPath('id'), [flag, '--', name], { encoding: 'utf8' });
    if (status !== 0)
      throw new OperatorError(
        `user: there is no user ${name} on this machine: useradd --system --no-create-home --shell /usr/sbin/nologin ${name}`,
      );
    return Number(stdout);
  };
  const account = { name, uid: lookUp('-u'), gid: lookUp('-g') };
  if (account.uid === 0) throw new OperatorError(`user: ${name} is root: name an unprivileged user, or leave it empty`);
  return account;
}

/** Returns the absolute path of a command in PATH. Throws OperatorError when there is none. */
export function commandPath(name: string): string {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, name));
  const path = candidates.find((candidate) => candidate.startsWith('/') && existsSync(candidate));
  if (path !== undefined) return path;
  throw new OperatorError(`user needs the command ${name}, which is not there: apt-get install coreutils util-linux`);
}

function giveDirectories({ stateDir, runDir, sensor }: Config, account: Account, runsCollector: boolean): void {
  for (const path of [stateDir, runDir, ...(runsCollector ? [sensor.pinPath] : [])]) {
    // Only the directory itself is private; its parents stay open to other users.
    makeFolder(dirname(path), 0o755);
    makeFolder(path, 0o700);
    giveDirectory(realpathSync(path), account);
  }
}

/**
 * Changes the owner of a directory and its contents from root to the account. Skips a directory that the account owns
 * already: the account may have put links to files of other users there. Throws OperatorError.
 */
function giveDirectory(path: string, { name, uid, gid }: Account): void {
  const { uid: owner, mode } = lstatSync(path);
  if (owner === uid) return;
  if (owner !== 0 || (mode & 0o022) !== 0)
    throw new OperatorError(
      `${path} must belong to ${name}, or to root and be writable only by root: chown -R ${name} ${path}`,
    );
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  for (const entry of entries) lchownSync(join(entry.parentPath, entry.name), uid, gid);
  // Last, so that an interrupted walk is repeated at the next start.
  lchownSync(path, uid, gid);
}
