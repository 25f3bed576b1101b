/**
 * Runs the tests: npm test [-- [FILTER…] [--only PATTERN] [--timeout SECONDS] [--list]]
 *
 * FILTER keeps the files whose path contains it (any of several); --only keeps the tests whose title matches. Files run three at a time, but of
 * those that use a whole program one, and of those that use a container engine one; what uses the kernel's hooks runs afterwards, one by one, the
 * sensor's own tests in one process, with nothing beside it but the guest of another kernel. A file that takes longer than --timeout (600) is killed and has failed. Servers that files
 * share (sharedKafka and so on) are started when the first asks. A full run has `npm run check` after what uses the kernel, and ends with what cost the
 * most CPU time. The last line is always `N passed, N failed, N skipped`.
 */
import { dirname } from 'node:path';
import { hostSharedServers } from '@ringfence/testkit/servers';
import { parseTestArguments, type TestArguments } from './bootstrap/test-files.mjs';
import { cpuOfLastEndedMs } from './test-runner/cpu.ts';
import type { FileReport } from './test-runner/file-report.ts';
import { findTestFiles, type TestFile, type Turn } from './test-runner/files.ts';
import { printCosts, printFailures, printFile, printTotals } from './test-runner/report.ts';
import { runCheck } from './test-runner/run-check.ts';
import { type RunOptions, runFile } from './test-runner/run-file.ts';
import { runFiles } from './test-runner/run-files.ts';
import { ownEnvironment } from './test-runner/test-process.ts';

/** More than the two cores that a small machine has: files wait for servers, timers and the kernel half of their time. */
const CONCURRENCY = 3;
/** Beside others, idle servers too, rings fill, and races that are to be provoked don't come about; a guest's processes are none of this machine's. */
const LAST: ReadonlySet<Turn> = new Set(['sensor', 'kernel', 'guest']);
const root = dirname(import.meta.dirname);

/** Takes the first file whose turn it is until there is none; several of these at once make the concurrency. */
async function drain(queue: TestFile[], busy: Set<string>, run: (file: TestFile) => Promise<void>): Promise<void> {
  for (;;) {
    const next = queue.findIndex(({ turn }) => turn === undefined || !busy.has(turn));
    // Who has the turn now takes those that are left.
    if (next === -1) return;
    const [file] = queue.splice(next, 1) as [TestFile];
    if (file.turn !== undefined) busy.add(file.turn);
    await run(file);
    if (file.turn !== undefined) busy.delete(file.turn);
  }
}

interface Running {
  readonly how: RunOptions;
  readonly signal: AbortSignal;
  readonly onReport: (report: FileReport) => void;
  readonly run: (file: TestFile) => Promise<void>;
}

/** In one process, which loads and attaches the sensor once; to keep some of their tests, in one each. */
async function runSensor(files: readonly TestFile[], { how, signal, onReport, run }: Running): Promise<void> {
  const { only, timeoutMs } = how;
  const env = { ...ownEnvironment(), RINGFENCE_TEST_KEEP: '1' };
  const paths = files.map(({ path }) => path);
  if (only === undefined) await runFiles(paths, { root, env, timeoutMs, onReport, signal });
  else for (const file of files) await run(file);
}

interface Reports {
  readonly files: readonly FileReport[];
  /** CPU time of the servers that files shared */
  readonly serversMs: number;
}

/** `afterKernel`: what is left to do once nothing needs the kernel any more, beside the guest if that takes longer. */
async function runAll(
  files: readonly TestFile[],
  how: RunOptions,
  signal: AbortSignal,
  afterKernel: () => Promise<FileReport[]>,
): Promise<Reports> {
  const reports: FileReport[] = [];
  const busy = new Set<string>();
  const onReport = (report: FileReport): void => {
    printFile(report);
    reports.push(report);
  };
  const run = async (file: TestFile): Promise<void> => {
    if (!signal.aborted) onReport(await runFile(root, file.path, how, signal));
  };
  const of = (one: Turn): TestFile[] => files.filter(({ turn }) => turn === one);
  {
    await using _servers = await hostSharedServers();
    const queue = files.filter(({ turn }) => turn === undefined || !LAST.has(turn));
    await Promise.all(Array.from({ length: CONCURRENCY }, () => drain(queue, busy, run)));
  }
  const serversMs = cpuOfLastEndedMs();
  const kernel = async (): Promise<void> => {
    await runSensor(of('sensor'), { how, signal, onReport, run });
    await drain(of('kernel'), busy, run);
    if (!signal.aborted) reports.push(...(await afterKernel()));
  };
  await Promise.all([kernel(), drain(of('guest'), busy, run)]);
  return { files: reports, serversMs };
}

async function check(): Promise<FileReport[]> {
  const report = await runCheck(root);
  printFile(report);
  return [report];
}

/** Returns the arguments, or undefined after it has reported a wrong one. */
function parseArguments(): TestArguments | undefined {
  try {
    const chosen = parseTestArguments(process.argv.slice(2));
    if (Number(chosen.timeout) > 0) return chosen;
    console.error(`--timeout ${chosen.timeout}: expected seconds, above 0`);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(error.message);
  }
  return undefined;
}

async function main(): Promise<number> {
  const chosen = parseArguments();
  if (chosen === undefined) return 2;
  const { filters, only } = chosen;
  const files = findTestFiles(root, filters);
  if (chosen.list) {
    for (const file of files) console.log(file.path);
    return 0;
  }
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
  const whole = filters.length === 0 && only === undefined;
  const how = { only, timeoutMs: Number(chosen.timeout) * 1000 };
  const { files: reports, serversMs } = await runAll(files, how, abort.signal, whole ? check : async () => []);
  printFailures(reports);
  if (whole) printCosts(reports, serversMs);
  if (files.length === 0) console.log(`no test file matches ${filters.join(' ')}`);
  const failed = printTotals(reports);
  return failed > 0 || files.length === 0 || abort.signal.aborted ? 1 : 0;
}

process.exitCode = await main();
