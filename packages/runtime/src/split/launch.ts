import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { OperatorError } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { createLogger } from '@ringfence/telemetry';
import { type Capability, capabilitiesFor, capabilitiesToGive, missingCapabilities } from '../host/capabilities.ts';
import { prepareHost } from '../host/prepare-host.ts';
import { type Account, accountOf, commandPath, sensorAccountOf } from './accounts.ts';
import { forbidCoreDumps, leaveTerminal, setInherited, socketPair } from './descriptors.ts';
import { giveDirectories } from './directories.ts';
import { nodeOptions, processEnvironment, serviceManagerEnvironment } from './environment.ts';
import { type ProcessRole, processRoleEnvironment, type SensorConnection } from './process-role.ts';
import { assertReachable, type Needed } from './reach.ts';
import { assertTrustedContent } from './trusted-content.ts';

/** Descriptor of the connection in the sensor's process. */
const SENSOR_FD = 3;

/**
 * Starts the sensor's process with the capabilities that it needs, as a user of its own, then replaces this process by
 * the services' process, which is `config.user` and has no capabilities. While it is still root, this process mounts
 * file systems and changes the owner of directories. Never returns; throws OperatorError.
 */
export function launch(config: Config): never {
  const account = accountOf(config.user);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && process.getuid?.() !== account.uid)
    throw new OperatorError(`user is ${account.name}: start this as root, or as ${account.name}`);
  const setpriv = commandPath('setpriv');
  const runsCollector = config.services.includes('collector');
  const sensorAccount = runsCollector && isRoot ? sensorAccountOf(config) : null;
  if (isRoot) assertTrustedContent(config);
  if (isRoot)
    for (const each of [account, ...(sensorAccount === null ? [] : [sensorAccount])])
      assertReachable(each.name, [setpriv, ...accountArguments(each), '--'], neededBy(config, each === account));
  const needed = runsCollector ? capabilitiesToGive(capabilitiesFor(config)) : [];
  const log = createLogger(config.log);
  const priority = getPriority();
  if (runsCollector) prepareHost(log, config);
  if (isRoot) giveDirectories(config, account, sensorAccount);
  else if (runsCollector) log.warn({ user: account.name }, SHARED_USER);
  forbidCoreDumps();
  leaveTerminal();
  const canBound = missingCapabilities([SETPCAP]).length === 0;
  const setprivArguments = (user: Account, kept: readonly Capability[]): string[] => [
    ...(isRoot ? accountArguments(user) : []),
    ...capabilityArguments(kept, canBound),
    '--no-new-privs',
    '--',
    ...currentCommand(),
  ];
  const environment = (role: ProcessRole): Record<string, string> => ({
    ...processEnvironment(config, isRoot),
    ...processRoleEnvironment(role),
  });
  let sensor: SensorConnection | null = null;
  if (runsCollector) {
    const [servicesEnd, sensorEnd] = socketPair();
    const ownUser = sensorAccount !== null;
    const child = spawn(setpriv, setprivArguments(sensorAccount ?? account, needed), {
      stdio: ['ignore', 'inherit', 'inherit', sensorEnd],
      env: environment({ name: 'sensor', fd: SENSOR_FD, pid: process.pid, ownUser }),
    });
    if (child.pid === undefined) throw new OperatorError(`${setpriv} can't be started`);
    setInherited(servicesEnd, true);
    sensor = { fd: servicesEnd, pid: child.pid, ownUser };
  }
  // The sensor's process has the higher one now; only the rings can't wait.
  setPriority(priority);
  if (process.execve === undefined) throw new OperatorError('user needs Node 24: npm start brings it');
  const servicesEnvironment = { ...environment({ name: 'services', sensor }), ...serviceManagerEnvironment() };
  return process.execve(setpriv, ['setpriv', ...setprivArguments(account, [])], servicesEnvironment);
}

const SHARED_USER =
  'both processes run as one user, because this was not started as root: whoever takes over one can signal the other and change its files. Install the systemd unit of this version (deploy/README.md), or start as root';

/** Returns the files and folders that a process of the user opens before it can report an error. */
function neededBy({ stateDir, runDir }: Config, isServicesUser: boolean): Needed[] {
  return [
    { path: process.execPath, right: 'execute' },
    { path: realpathSync(process.argv[1] ?? ''), right: 'read' },
    ...(isServicesUser ? [stateDir, runDir] : []).map((path): Needed => ({ path, right: 'given' })),
  ];
}

const SETPCAP: Capability = { name: 'CAP_SETPCAP', for: 'drop capabilities from the bounding set' };

const accountArguments = ({ name, gid }: Account): string[] => [`--reuid=${name}`, `--regid=${gid}`, '--init-groups'];

/** @param canBound whether this process may change its bounding set */
function capabilityArguments(kept: readonly Capability[], canBound: boolean): string[] {
  const set = ['-all', ...kept.map(({ name }) => `+${name.replace('CAP_', '').toLowerCase()}`)].join();
  return [`--inh-caps=${set}`, `--ambient-caps=${set}`, ...(canBound ? [`--bounding-set=${set}`] : [])];
}

const currentCommand = (): string[] => [process.execPath, ...nodeOptions(), ...process.argv.slice(1)];
