import { OperatorError } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { accountOf, commandPath, sensorAccountOf } from '@ringfence/runtime/accounts';
import { type Capability, capabilitiesFor, capabilitiesToGive, missingCapabilities } from '@ringfence/runtime/host';
import type { Status } from '@ringfence/runtime/status';
import { type Check, failed, passed } from './check.ts';

const RUNS_AS = 'runs as';
const SPLIT = 'set user to an unprivileged one: docs/CONFIGURATION.md';

/**
 * Checks the capabilities that the sensor needs: of the running `up` if it has a collector, else of this process. One
 * passed check, or a failed check for each missing capability.
 */
export function checkPrivileges(config: Config, running: Pick<Status, 'processes' | 'services'> | null): Check[] {
  const agent = running?.services.some(({ name }) => name === 'collector') ? running : null;
  const needed = capabilitiesFor(config);
  const held = agent?.processes.flatMap(({ capabilities }) => capabilities);
  const missing = missingCapabilities(needed, held);
  if (missing.length === 0)
    return [passed('privileges', `every needed capability${agent === null ? '' : ', in the running processes'}`)];
  return missing.map((capability) =>
    failed(`privilege ${capability.name}`, 'not granted', `can't ${capability.for}`, 'run as root: sudo npm start'),
  );
}

/** Whether this process may load the sensor to probe the hooks. */
export const mayLoadSensor = (config: Config): boolean => missingCapabilities(capabilitiesFor(config)).length === 0;

/** Checks the user and the capabilities of `up`, running or as set, for more than it needs. */
export function checkUser(config: Config, running: Pick<Status, 'processes'> | null): Check {
  try {
    if (config.user !== '') {
      accountOf(config.user);
      if (config.services.includes('collector')) sensorAccountOf(config);
      commandPath('setpriv');
    }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return failed(RUNS_AS, error.message, 'up does not start', SPLIT);
  }
  return running === null ? checkConfiguredUser(config) : checkRunningUser(config, running);
}

const neededFor = (config: Config): readonly Capability[] =>
  config.services.includes('collector') ? capabilitiesFor(config) : [];
const namesOf = (capabilities: readonly Capability[]): string[] => capabilities.map(({ name }) => name);

function checkConfiguredUser(config: Config): Check {
  const needed = namesOf(neededFor(config));
  if (config.user === '')
    return passed(
      RUNS_AS,
      `the user who starts it, in one process; root has more privileges than it needs (${listText(needed)}): ${SPLIT}`,
    );
  if (needed.length === 0) return passed(RUNS_AS, `${config.user}: without any capability`);
  return passed(
    RUNS_AS,
    `${sensorAccountOf(config).name}: the sensor's process with ${listText(needed)}; ${config.user}: the other process without any capability`,
  );
}

function checkRunningUser(config: Config, { processes }: Pick<Status, 'processes'>): Check {
  const held = processes.flatMap(({ capabilities }) => capabilities);
  const needed = namesOf(capabilitiesToGive(neededFor(config), held));
  const found = processes
    .map(
      ({ pid, uid, capabilities }) =>
        `pid ${pid}, uid ${uid}, ${capabilities.length > 6 ? `${capabilities.length} capabilities` : listText(capabilities)}`,
    )
    .join('; ');
  // Root owns system files even without any capability.
  const hasTooMuch = held.some((name) => !needed.includes(name)) || processes.some(({ uid }) => uid === 0);
  if (!hasTooMuch && config.user !== '' && processes.length > 1 && new Set(processes.map(({ uid }) => uid)).size === 1)
    return failed(
      RUNS_AS,
      found,
      'an attacker who takes over one process can signal the other and change its files',
      'install the systemd unit of this version (deploy/README.md), or start ringfence as root',
    );
  if (!hasTooMuch) return passed(RUNS_AS, found);
  if (config.user === '') return passed(RUNS_AS, `${found}: more than it needs (${listText(needed)}): ${SPLIT}`);
  return failed(
    RUNS_AS,
    found,
    `an attacker who takes over a process gets more privileges than it needs (${listText(needed)})`,
    'restart ringfence: it was started with other settings',
  );
}

const listText = (names: readonly string[]): string => (names.length === 0 ? 'no capability' : names.join(', '));
