import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BenchError } from './errors.ts';

export type SectionName = 'throughput' | 'latency' | 'overhead' | 'sensor' | 'rules' | 'codecs' | 'replay' | 'fleet';
/** In the order in which they run. */
export const SECTIONS: readonly SectionName[] = [
  'throughput',
  'latency',
  'overhead',
  'sensor',
  'rules',
  'codecs',
  'replay',
  'fleet',
];

export interface BenchOptions {
  readonly sections: readonly SectionName[];
  /** how long a load must be carried to count as sustained; shorter measurements are parts of it */
  readonly seconds: number;
  /** repetitions of what is compared */
  readonly runs: number;
  readonly json: boolean;
  /** where CPU profiles go; null: none are made */
  readonly profileDir: string | null;
  /** made by `ringfence record`; null: one is made. Of `fleet` and `rules`. */
  readonly recording: string | null;
  /** folder of Falco's rule files, for `rules`; null: those of the yardsticks, and rules of ours in place of the rest */
  readonly falco: string | null;
  /** texts: of `sensor`, only loads with one of them in their names; empty: all, and what isn't a load */
  readonly loads: readonly string[];
}

export const USAGE: string = `Usage: npm run bench [-- SECTION…] [--seconds N] [--runs N] [--profile DIR] [--json]

Sections (default: all): ${SECTIONS.join(', ')}
  --seconds N    how long a load must be carried to count as sustained (default 20)
  --runs N       repetitions of what is compared (default 3)
  --profile DIR  write CPU profiles of the measured program there, and print where its time went
  --recording FILE  made by ringfence record, for fleet and rules (default: it makes one)
  --falco DIR    Falco's rule files, for rules (default: the stable ones of RINGFENCE_YARDSTICKS, and as many of ours as the others are)
  --load TEXT    for sensor: only the loads with TEXT in their names, or idle; may be given again
  --json         one JSON object on stdout; the tables go to stderr

Needs root, cc and taskset. Exit code 1 when produced = stored + counted drops does not hold.`;

/** Throws BenchError. null: only the usage is wanted. */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values, positionals } = parsed(args);
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
  };
}

/** Where the profile of what is measured goes; null: none is made. */
export function profilePath({ profileDir }: BenchOptions, name: string): string | null {
  return profileDir === null ? null : join(profileDir, `${name}.cpuprofile`);
}

function parsed(args: readonly string[]) {
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
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (cause) {
    throw new BenchError('ERR_BENCH_USAGE', `${(cause as Error).message}\n\n${USAGE}`, { cause });
  }
}

function sectionOf(name: string): SectionName {
  const found = SECTIONS.find((one) => one === name);
  if (found === undefined) throw new BenchError('ERR_BENCH_USAGE', `there is no section ${name}\n\n${USAGE}`);
  return found;
}

function numberOf(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (number >= min && number <= max) return number;
  throw new BenchError('ERR_BENCH_USAGE', `--${name} ${text}: expected a number from ${min} to ${max}`);
}
