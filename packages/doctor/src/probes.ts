import { type Config, ConfigError } from '@ringfence/config';
import { checkProbes, type ProbeCheck, readProbeFiles } from '@ringfence/sensor';
import { bad, type Check, ok } from './checks.ts';

/** Whether the probes that the settings define can be set here. */
export function checkOwnProbes({ probes, hostRoot }: Pick<Config['collector'], 'probes' | 'hostRoot'>): Check[] {
  if (probes.custom.length === 0) return [];
  try {
    const found = checkProbes(readProbeFiles(probes.custom), hostRoot);
    const wrong = found.filter(({ problem }) => problem !== '').map(problemOf);
    return wrong.length > 0 ? wrong : [ok('own probes', `${found.length} can be set`)];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [bad('own probes', error.message, 'the agent does not start', 'ringfence probes check')];
  }
}

const problemOf = ({ name, problem, defined }: ProbeCheck): Check =>
  bad(`probe ${name}`, problem, 'it sees nothing', `ringfence probes check ${defined.replace(/:\d+:\d+$/, '')}`);
