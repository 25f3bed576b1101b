import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BenchError } from './errors.ts';

/** All sections, in the order in which they run */
export const SECTIONS = [
  'throughput',
  'latency',
  'overhead',
  'sensor',
  'rules',
  'codecs',
  'replay',
  'fleet',
  'floods',
  'starved',
  'sinks',
  'respond',
] as const;
export type SectionName = (typeof SECTIONS)[number];

export interface BenchOptions {
  readonly sections: readonly SectionName[];
  /** How long a load must run without loss to count as sustained; shorter measurements take a part of it */
  readonly seconds: number;
  /** Repetitions of each comparison */
  readonly runs: number;
  readonly json: boolean;
  /** Directory for CPU profiles, or null for none */
  readonly profileDir: string | null;
  /** For `fleet` and `rules`: file written by `ringfence record`, or null to record one */
  readonly recording: string | null;
  /**
   * For `rules`: folder of Falco's rule files. Null stands for the stable rules of RINGFENCE_YARDSTICKS, with rules of
   * Ringfence in place of the rest.
   */
  readonly falco: string | null;
  /** For `sensor` and `floods`: runs only the loads whose name contains one of these texts; empty for all */
  readonly loads: readonly string[];
  /** For `floods`: the agent is a whole `up` in one process, instead of the process that reads the rings */
  readonly oneProcess: boolean;
}

export const USAGE: string = `Usage: npm run bench [-- SECTION…] [--seconds N] [--runs N] [--profile DIR] [--json]

Sections (default: all): ${SECTIONS.join(', ')}
  --seconds N    how long a load must run without loss to count as sustained (default 20); for floods: how long the
                 bystanders act, 50 times a second
  --runs N       repetitions of each comparison (default 3)
  --profile DIR  write CPU profiles of the measured programs to DIR, and print their slowest functions
  --recording FILE  for fleet and rules: a file written by ringfence record (default: record one)
  --falco DIR    for rules: Falco's rule files (default: the stable rules of RINGFENCE_YARDSTICKS, and as many rules of
                 Ringfence as there are other rules of Falco)
  --load TEXT    for sensor: only the loads with TEXT in their names, or idle; for floods: only the floods with TEXT in
                 their names; repeatable
  --one-process  for floods: the tenth of a core is for the whole agent, instead of the process that reads the rings
  --json         write one JSON object to stdout, and the tables to stderr

Needs root, cc and taskset. Exit code 1 when produced = stored + counted drops does not hold.`;

/** Returns the options, or null for --help. Throws BenchError when an argument is invalid. */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values, positionals } = parseArguments(args);
  if (values.help === true) return null;
  return {
    sections: positionals.length === 0 ? SECTIONS : positionals.map(sectionOf),
    seconds: numberOf('seconds', values.seconds, 1, 3600),
    runs: Math.round(numberOf('runs', values.runs, 1, 100)),
    json: values.json === true,
    profileDir: values.profile ?? null,
    recording: values.recording ?? null,
    falco: values.falco ?? null,
    loads: values.load ?? [],
    oneProcess: values['one-process'] === true,
  };
}

/** Returns the path for a CPU profile, or null without --profile. */
export function profilePath({ profileDir }: BenchOptions, name: string): string | null {
  return profileDir === null ? null : join(profileDir, `${name}.cpuprofile`);
}

function parseArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seconds: { type: 'string', default: '20' },
        runs: { type: 'string', default: '3' },
        profile: { type: 'string' },
        recording: { type: 'string' },
        falco: { type: 'string' },
        load: { type: 'string', multiple: true },
        'one-process': { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (cause) {
    throw new BenchError('ERR_BENCH_USAGE', `${(cause as Error).message}\n\n${USAGE}`, { cause });
  }
}

function sectionOf(name: string): SectionName {
  const section = SECTIONS.find((candidate) => candidate === name);
  if (section === undefined) throw new BenchError('ERR_BENCH_USAGE', `there is no section ${name}\n\n${USAGE}`);
  return section;
}

function numberOf(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (number >= min && number <= max) return number;
  throw new BenchError('ERR_BENCH_USAGE', `--${name} ${text}: expected a number from ${min} to ${max}`);
}
