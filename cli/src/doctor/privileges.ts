import type { Config } from '@ringfence/config';
import type { ApiClient } from '../api/client.ts';
import { capabilitiesFor } from '../app/capabilities.ts';
import { accountOf, commandPath } from '../app/launch.ts';
import type { Status } from '../app/status.ts';
import { CliError } from '../errors.ts';
import { bad, type Check, ok } from './checks.ts';

const NAME = 'runs as';
const SPLIT = 'set user to an unprivileged one: docs/CONFIGURATION.md';

/** As whom `up` runs, or would, with which capabilities, and whether that is more than it needs. */
export async function checkPrivileges(config: Config, client: ApiClient): Promise<Check> {
  try {
    if (config.user !== '') {
      accountOf(config.user);
      commandPath('setpriv');
    }
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return bad(NAME, error.message, 'up does not start', SPLIT);
  }
  return (await client.running()) ? ofRunning(config, await client.json<Status>('/status')) : ofSettings(config);
}

const neededNames = (config: Config): string[] =>
  config.services.includes('collector') ? capabilitiesFor(config).map(({ name }) => name) : [];

function ofSettings(config: Config): Check {
  const needed = neededNames(config);
  if (config.user === '')
    return ok(
      NAME,
      `whoever starts it, in one process; as root that is more than it needs, which is ${listed(needed)}: ${SPLIT}`,
    );
  const sensor = needed.length === 0 ? '' : `the sensor's process with ${listed(needed)}, `;
  return ok(NAME, `${config.user}: ${sensor}${sensor === '' ? '' : 'the other '}without any capability`);
}

function ofRunning(config: Config, { processes }: Status): Check {
  const needed = neededNames(config);
  const each = processes.map(
    ({ pid, uid, capabilities }) =>
      `pid ${pid}, uid ${uid}, ${capabilities.length > 6 ? `${capabilities.length} capabilities` : listed(capabilities)}`,
  );
  const found = each.join('; ');
  const tooMany = processes.flatMap(({ capabilities }) => capabilities.filter((name) => !needed.includes(name)));
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
