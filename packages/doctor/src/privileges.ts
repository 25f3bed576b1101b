import { OperatorError } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { type Capability, capabilitiesFor, capabilitiesToGive, missingCapabilities } from '@ringfence/runtime/host';
import { accountOf, commandPath } from '@ringfence/runtime/launch';
import type { Status } from '@ringfence/runtime/status';
import { bad, type Check, ok } from './checks.ts';

const NAME = 'runs as';
const SPLIT = 'set user to an unprivileged one: docs/CONFIGURATION.md';

/**
 * Whether whoever watches may: the `up` that runs, else this process. One good check, or a bad one for each capability that it lacks.
 * Where an unprivileged user runs `up`, whoever asks as that user lacks what it gave its sensor's process only.
 */
export function checkNeeded(config: Config, running: Pick<Status, 'processes' | 'services'> | null): Check[] {
  const watcher = running?.services.some(({ name }) => name === 'collector') ? running : null;
  const needed = capabilitiesFor(config);
  const missing = missingCapabilities(
    needed,
    watcher?.processes.flatMap(({ capabilities }) => capabilities),
  );
  if (missing.length === 0)
    return [ok('privileges', `every capability that is needed${watcher === null ? '' : ', in what runs'}`)];
  return missing.map((one) =>
    bad(`privilege ${one.name}`, 'not given', `can't ${one.for}`, 'run as root: sudo npm start'),
  );
}

/** Whether this process may try the hooks itself. */
export const mayLoad = (config: Config): boolean => missingCapabilities(capabilitiesFor(config)).length === 0;

/** As whom `up` runs, or would, with which capabilities, and whether that is more than it needs. */
export function checkPrivileges(config: Config, running: Pick<Status, 'processes'> | null): Check {
  try {
    if (config.user !== '') {
      accountOf(config.user);
      commandPath('setpriv');
    }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return bad(NAME, error.message, 'up does not start', SPLIT);
  }
  return running === null ? ofSettings(config) : ofRunning(config, running);
}

const neededFor = (config: Config): readonly Capability[] =>
  config.services.includes('collector') ? capabilitiesFor(config) : [];
const namesOf = (capabilities: readonly Capability[]): string[] => capabilities.map(({ name }) => name);

function ofSettings(config: Config): Check {
  const needed = namesOf(neededFor(config));
  if (config.user === '')
    return ok(
      NAME,
      `whoever starts it, in one process; as root that is more than it needs, which is ${listed(needed)}: ${SPLIT}`,
    );
  const sensor = needed.length === 0 ? '' : `the sensor's process with ${listed(needed)}, `;
  return ok(NAME, `${config.user}: ${sensor}${sensor === '' ? '' : 'the other '}without any capability`);
}

function ofRunning(config: Config, { processes }: Pick<Status, 'processes'>): Check {
  const held = processes.flatMap(({ capabilities }) => capabilities);
  const needed = namesOf(capabilitiesToGive(neededFor(config), held));
  const each = processes.map(
    ({ pid, uid, capabilities }) =>
      `pid ${pid}, uid ${uid}, ${capabilities.length > 6 ? `${capabilities.length} capabilities` : listed(capabilities)}`,
  );
  const found = each.join('; ');
  const tooMany = held.filter((name) => !needed.includes(name));
  // Root without any capability still owns the files of root.
  const isRoot = processes.some(({ uid }) => uid === 0);
  if (config.user === '' || (tooMany.length === 0 && !isRoot))
    return ok(
      NAME,
      tooMany.length > 0 || isRoot ? `${found}: more than it needs, which is ${listed(needed)}: ${SPLIT}` : found,
    );
  const costs = `whoever takes it over has more than it needs, which is ${listed(needed)}`;
  return bad(NAME, found, costs, 'restart ringfence: it was started with other settings');
}

const listed = (names: readonly string[]): string => (names.length === 0 ? 'no capability' : names.join(', '));
