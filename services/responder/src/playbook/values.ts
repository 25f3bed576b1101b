import { didYouMean } from '@ringfence/rules';
import type { RunStart } from '@ringfence/wire';

const VALUE_MAX = 4096;
/** Values that a detector cut end like this: half a path is another path. */
const CUT = '…';

/** Values that come with every run. */
const OF_RUN: Readonly<Record<string, (run: RunStart, hostId: string) => string>> = {
  'host.id': (_, hostId) => hostId,
  'incident.id': ({ incident }) => incident,
  'rule.name': ({ rule }) => rule,
  'process.entity_id': ({ entityId }) => entityId,
  'process.executable': ({ executable }) => executable,
  'process.pid': ({ pid }) => (pid === 0 ? '' : String(pid)),
};

/** Values that some alerts have: fields of their events (docs/FIELDS.md). */
const OF_EVENT: readonly string[] = [
  'destination.ip',
  'destination.port',
  'dns.question.name',
  'file.path',
  'file.target_path',
  'kernel.module.name',
  'kernel.module.path',
  'memory.path',
  'network.unix.path',
  'process.target.pid',
  'source.ip',
  'source.port',
  'tls.client.server_name',
  'user.name',
];

/** Names of the values that parameters and conditions may use. */
export const VALUE_NAMES: readonly string[] = [...Object.keys(OF_RUN), ...OF_EVENT];

/** Returns those values of an event that runs keep: bounded, and none that was cut. */
export function keptValues(fields: Readonly<Record<string, string>>): Record<string, string> {
  const kept = OF_EVENT.flatMap((name) => {
    const value = fields[name];
    return value === undefined || !isUsable(value) ? [] : [[name, value] as const];
  });
  return Object.fromEntries(kept);
}

/** Returns undefined if the run does not have the value. */
export function runValue(name: string, run: RunStart, hostId: string): string | undefined {
  const value = Object.hasOwn(OF_RUN, name) ? OF_RUN[name]?.(run, hostId) : run.values[name];
  return value === undefined || !isUsable(value) ? undefined : value;
}

const isUsable = (value: string): boolean => value !== '' && value.length <= VALUE_MAX && !value.endsWith(CUT);

/** A parameter is a text, or `$` and the name of one value: nothing is joined or evaluated. */
export function nameInValue(parameter: string): string | undefined {
  return parameter.startsWith('$') ? parameter.slice(1) : undefined;
}

/** Returns what is wrong with a parameter's value; null: nothing. */
export function valueProblem(parameter: string): string | null {
  if (/\p{Cc}/u.test(parameter)) return 'expected a text without control characters';
  const name = nameInValue(parameter);
  if (name === undefined || VALUE_NAMES.includes(name)) return null;
  const known = VALUE_NAMES.map((each) => `$${each}`);
  const hint = didYouMean(parameter, known, `Expected one of ${known.join(', ')}`);
  return `a run has no value '${parameter.slice(0, 64)}'; hint: ${hint}`;
}
