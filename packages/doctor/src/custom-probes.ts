import { type Config, ConfigError } from '@ringfence/config';
import { checkProbes, type ProbeCheck, readProbeFiles } from '@ringfence/sensor';
import { type Check, failed, passed } from './check.ts';

const NAME = 'custom probes';

/** Checks whether the probes in the settings can be attached on this host. */
export function checkCustomProbes({ probes, hostRoot }: Pick<Config['collector'], 'probes' | 'hostRoot'>): Check[] {
  if (probes.custom.length === 0) return [];
  try {
    const checked = checkProbes(readProbeFiles(probes.custom), hostRoot);
    const problems = checked.filter(({ problem }) => problem !== '').map(problemOf);
    return problems.length > 0 ? problems : [passed(NAME, `${checked.length} can be attached`)];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [failed(NAME, error.message, 'the agent does not start', 'ringfence probes check')];
  }
}

const problemOf = ({ name, problem, defined }: ProbeCheck): Check =>
  failed(
    `probe ${name}`,
    problem,
    'this probe reports no events',
    `ringfence probes check ${defined.replace(/:\d+:\d+$/, '')}`,
  );
