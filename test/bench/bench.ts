/** Runs the benches: `npm run bench`. docs/PERFORMANCE.md explains the sections. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { HOME } from '@ringfence/config';
import { exitAfterFlush } from '@ringfence/runtime/process';
import type { BenchContext, Section } from './lib/context.ts';
import { BenchError } from './lib/errors.ts';
import { mib } from './lib/figures.ts';
import { interrupted } from './lib/interrupt.ts';
import { type BenchOptions, parseOptions, type SectionName, USAGE } from './lib/options.ts';
import { reportProfiles } from './lib/profile.ts';
import { Programs } from './lib/programs.ts';
import { type Load, type Recorded, record } from './lib/recording.ts';
import { Report } from './lib/report.ts';
import { sensorsInKernel } from './lib/usage.ts';
import { codecs } from './sections/codecs.ts';
import { fleet } from './sections/fleet.ts';
import { floods } from './sections/floods.ts';
import { latency } from './sections/latency.ts';
import { overhead } from './sections/overhead.ts';
import { replay } from './sections/replay.ts';
import { respond } from './sections/respond.ts';
import { rules } from './sections/rules.ts';
import { sensor } from './sections/sensor.ts';
import { sinks } from './sections/sinks.ts';
import { starved } from './sections/starved.ts';
import { throughput } from './sections/throughput.ts';

const SECTIONS: Readonly<Record<SectionName, Section>> = {
  throughput,
  latency,
  overhead,
  sensor,
  rules,
  codecs,
  replay,
  fleet,
  floods,
  starved,
  sinks,
  respond,
};

/** Runs the sections and returns whether all checks passed. */
async function bench(options: BenchOptions): Promise<boolean> {
  if (process.getuid?.() !== 0) throw new BenchError('ERR_BENCH_SETUP', 'the sensor needs root: sudo npm run bench');
  const report = new Report(options.json);
  const environment = environmentOf(options);
  report.print(Object.values(environment).join(' · '));
  const dir = mkdtempSync(join(tmpdir(), 'ringfence-bench-'));
  if (options.profileDir !== null) mkdirSync(options.profileDir, { recursive: true });
  try {
    const context = createContext(options, report, dir);
    for (const name of options.sections) {
      report.begin(name);
      await SECTIONS[name](context);
    }
    if (options.profileDir !== null) reportProfiles(report, options.profileDir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  report.end(environment);
  return !report.failed;
}

function createContext(options: BenchOptions, report: Report, dir: string): BenchContext {
  // Not below /tmp: a rule matches programs there, and every exec would raise an alert.
  const programs = new Programs(join(HOME, 'dist/bench'));
  const recordings = new Map<Load, Promise<Recorded>>();
  return {
    options: options.profileDir === null ? options : { ...options, profileDir: resolve(options.profileDir) },
    report,
    programs,
    dir,
    recorded(load) {
      const recording = recordings.get(load) ?? record(dir, programs, load, Math.min(30, options.seconds));
      recordings.set(load, recording);
      return recording;
    },
    results: {},
  };
}

function environmentOf({ sections, seconds, runs }: BenchOptions): Readonly<Record<string, string>> {
  const model = /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch;
  return {
    kernel: `Linux ${release()}`,
    cores: `${availableParallelism()} cores (${model})`,
    memory: mib(totalmem()),
    node: `Node ${process.versions.node}`,
    load: `load average ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]} at the start`,
    others: `${sensorsInKernel() ?? 'unknown'} other sensors in the kernel`,
    command: `npm run bench -- ${sections.join(' ')} --seconds ${seconds} --runs ${runs}`,
  };
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === null) process.stdout.write(`${USAGE}\n`);
  else if (!(await bench(options))) process.exitCode = 1;
} catch (error) {
  if (interrupted.aborted) process.exit(130);
  if (!(error instanceof BenchError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = error.code === 'ERR_BENCH_USAGE' ? 2 : 1;
}
await exitAfterFlush();
