/** Runs the sensor's tests on other kernels. See USAGE. The last line is always `N passed, N failed, N skipped`. */
import { globSync, writeFileSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { debianKernels, guestMissing, type TestKernel } from '@ringfence/testkit/kernels';
import { cgroup2, sensorObject } from '@ringfence/testkit/sensor';
import type { FileReport } from '../../tools/test-runner/file-report.ts';
import { printFailures, printFile, printTotals } from '../../tools/test-runner/report.ts';
import { runFile } from '../../tools/test-runner/run-file.ts';
import { interrupted } from '../bench/lib/interrupt.ts';
import { findKernels, SERIES_VARIABLE } from './lib/find-kernels.ts';
import { type Profile, profiles } from './lib/in-guest.ts';
import { judgePrograms } from './lib/programs.ts';
import { type KernelReport, runOnKernel } from './lib/run-kernel.ts';
import { columnTitle, type KernelColumn, kernelTable, readTable, TABLE, verdictFailures } from './lib/table.ts';
import { testFiles } from './lib/tree.ts';

function failed(path: string, title: string, error: string): FileReport {
  return { path, passed: 0, failures: [{ title, error }], skipped: [], output: '', durationMs: 0, cpuMs: 0 };
}

function verdictReport(title: string, { programs }: KernelReport, durationMs: number): FileReport {
  const failures = verdictFailures(title, programs, readTable());
  const passed = programs.length - new Set(failures.map(({ program }) => program)).size;
  return {
    path: "the sensor's programs",
    passed,
    failures: failures.map(({ program, reason }) => ({ title: program, error: reason })),
    skipped: [],
    output: '',
    durationMs,
    cpuMs: 0,
  };
}

interface Plan {
  readonly files: readonly string[];
  readonly profiles: readonly Profile[];
  readonly filesOnly: boolean;
  readonly timeoutMs: number;
}

function profilesOf(names: readonly string[] = profiles): Profile[] {
  const unknown = names.find((name) => !profiles.some((profile) => profile === name));
  if (unknown !== undefined) throw new TypeError(`--profile ${unknown}: expected ${profiles.join(' or ')}`);
  return profiles.filter((profile) => names.includes(profile));
}

/** Runs as many kernels at the same time as there are processors, because an emulator uses one thread. */
async function runKernels(kernels: readonly TestKernel[], plan: Plan, columns: KernelColumn[]): Promise<FileReport[]> {
  const done = kernels.map((): { reports: FileReport[]; judged: KernelColumn[] } => ({ reports: [], judged: [] }));
  const waiting = kernels.entries();
  const work = async (): Promise<void> => {
    for (const [index, kernel] of waiting) {
      if (interrupted.aborted) return;
      const { reports, judged } = done[index] as (typeof done)[number];
      reports.push(...(await runKernel(kernel, plan, judged)));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  columns.push(...done.flatMap(({ judged }) => judged));
  return done.flatMap(({ reports }) => reports);
}

async function runKernel(kernel: TestKernel, plan: Plan, columns: KernelColumn[]): Promise<FileReport[]> {
  const started = performance.now();
  const reports: FileReport[] = [];
  const title = columnTitle(kernel);
  const onFile = (report: FileReport, profile?: Profile): void => {
    const where = profile === undefined ? title : `${title} ${profile}`;
    const named = { ...report, path: `${where}: ${report.path}` };
    reports.push(named);
    printFile(named);
    printFailures([named]);
  };
  console.log(`${title}: booting ${kernel.release}`);
  try {
    const report = await runOnKernel({ kernel, ...plan, onFile, signal: interrupted });
    if (!plan.filesOnly) {
      columns.push({ title, programs: report.programs });
      onFile(verdictReport(title, report, performance.now() - started));
    }
  } catch (error) {
    onFile(failed(kernel.release, 'the guest itself', String(error)));
  }
  return reports;
}

/** Maximum number of guests that a file of guests/ boots. Each of them has the deadline. */
const GUESTS_A_FILE = 4;
const root = join(import.meta.dirname, '../..');

function guestFiles(filters: readonly string[]): string[] {
  const found = globSync('test/kernels/guests/*.guest.ts', { cwd: root }).sort();
  return found.filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)));
}

async function runGuests(paths: readonly string[], series: readonly string[] | undefined, timeoutMs: number) {
  if (series !== undefined) process.env[SERIES_VARIABLE] = series.join(',');
  const reports: FileReport[] = [];
  for (const path of paths) {
    if (interrupted.aborted) break;
    const how = { only: undefined, timeoutMs: GUESTS_A_FILE * timeoutMs };
    const report = await runFile(root, path, how, interrupted);
    printFile(report);
    reports.push(report);
  }
  printFailures(reports);
  return reports;
}

async function foreignKernels(series: readonly string[] | undefined): Promise<readonly TestKernel[]> {
  const found = await findKernels(series, 'arm64');
  if (typeof found !== 'string') return found;
  console.log(`skipping arm64: ${found}`);
  return [];
}

const USAGE = `The sensor's tests on other kernels:

  npm run test:kernels [-- [FILTER…] [--kernel SERIES]… [--profile PROFILE]… [--timeout SECONDS] [--write]]

Boots the newest kernel of each series that apt offers in QEMU, as many machines at once as there are processors, and
runs test/kernel/sensor/ there: in the full profile, like the agent would use it on that kernel, and in the baseline.
Then runs the files in guests/, whose tests boot machines that lack something or have another architecture.

  FILTER       runs only files whose path contains it. Without a filter, or if it matches no file, also determines the
               verdict on each program. If it matches only files in guests/, no other kernel is booted
  --kernel     6.1, 6.12, … Default: all that apt offers
  --profile    full or baseline. Default: both
  --timeout    deadline for each kernel. Default: 7200
  --write      writes the verdict of each kernel, arm64 included, to docs/KERNELS.md`;

function optionsOf() {
  const options = {
    kernel: { type: 'string', multiple: true },
    profile: { type: 'string', multiple: true },
    timeout: { type: 'string', default: '7200' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    const timeoutMs = Number(values.timeout) * 1000;
    if (!(timeoutMs > 0)) throw new TypeError(`--timeout ${values.timeout}: expected seconds`);
    return { ...values, positionals, timeoutMs, profiles: profilesOf(values.profile) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return null;
  }
}

async function main(): Promise<number> {
  const parsed = optionsOf();
  if (parsed === null) return 2;
  const { positionals, timeoutMs, profiles: wanted, kernel: series, write } = parsed;
  if (parsed.help) {
    console.log(USAGE);
    return 0;
  }
  const missing = guestMissing();
  if (missing !== undefined) {
    console.log(`only the running kernel is available: ${missing}\n0 passed, 0 failed, 1 skipped`);
    return 0;
  }
  const files = testFiles(positionals);
  const guests = guestFiles(positionals);
  const columns: KernelColumn[] = [];
  const reports: FileReport[] = [];
  const kernels = files.length === 0 && guests.length > 0 ? [] : await debianKernels(series);
  const filesOnly = positionals.length > 0 && files.length > 0 && !write;
  const plan = { files, profiles: wanted, filesOnly, timeoutMs };
  reports.push(...(await runKernels(kernels, plan, columns)));
  // The tests themselves need programs for arm64, which can't be built here.
  const foreign = write ? await foreignKernels(series) : [];
  reports.push(...(await runKernels(foreign, { ...plan, files: [], filesOnly: false }, columns)));
  reports.push(...(await runGuests(guests, series, timeoutMs)));
  if (write && columns.length > 0 && !interrupted.aborted) {
    const verdicts = judgePrograms(await sensorObject(), cgroup2() ?? '');
    const title = `${release().split('.').slice(0, 2).join('.')} (built on)`;
    writeFileSync(TABLE, kernelTable([...columns, { title, programs: verdicts }]));
    console.log('docs/KERNELS.md written');
  }
  const failures = printTotals(reports);
  return interrupted.aborted ? 130 : Math.sign(failures);
}

process.exitCode = await main();
