/**
 * Runs the tests: npm test [-- [FILTER…] [--only PATTERN] [--timeout SECONDS] [--list]]
 *
 * FILTER selects the files whose path contains it (any of several); --only selects the tests whose title matches. Three
 * files run at a time, with at most one that runs a whole agent and one that runs a container engine. Files that use
 * the hooks of the kernel run afterwards, one by one, in parallel only with the guest of another kernel; the tests of
 * the sensor share one process, and so do the tests of the built-in rules. A file that exceeds --timeout (600 s) is
 * killed and fails. Shared servers (sharedKafka etc.) start on the first request. A full run ends with `npm run check`
 * and a list of the files with the most CPU time. The last line is always `N passed, N failed, N skipped`.
 */
import { dirname } from 'node:path';
import { headComment } from '@ringfence/base/script';
import { hostSharedServers } from '@ringfence/dev-servers';
import { parseTestArguments, type TestArguments } from './bootstrap/test-files.mjs';
import { cpuOfLastEndedMs } from './test-runner/cpu.ts';
import type { FileReport } from './test-runner/file-report.ts';
import { findTestFiles, type TestFile, type Turn } from './test-runner/files.ts';
import { printCosts, printFailures, printFile, printTotals } from './test-runner/report.ts';
import { runCheck } from './test-runner/run-check.ts';
import { type RunOptions, runFile } from './test-runner/run-file.ts';
import { runFiles } from './test-runner/run-files.ts';
import { testEnvironment } from './test-runner/test-process.ts';

/** More than the two cores of a small machine: files wait for servers, timers and the kernel half of their time. */
const CONCURRENCY = 3;
/**
 * Turns that run after all other files have ended and the shared servers have stopped. Other load, even idle servers,
 * would fill rings and prevent the races that tests provoke. A guest is isolated from that load.
 */
const LAST_TURNS: ReadonlySet<Turn> = new Set(['sensor', 'kernel', 'guest']);
const root = dirname(import.meta.dirname);

/** Runs the first file whose turn is free until none is left. Several calls in parallel provide the concurrency. */
async function drain(queue: TestFile[], busy: Set<string>, run: (file: TestFile) => Promise<void>): Promise<void> {
  for (;;) {
    const next = queue.findIndex(({ turn }) => turn === undefined || !busy.has(turn));
    // The call that holds the turn runs the remaining files of it.
    if (next === -1) return;
    const [file] = queue.splice(next, 1) as [TestFile];
    if (file.turn !== undefined) busy.add(file.turn);
    await run(file);
    if (file.turn !== undefined) busy.delete(file.turn);
  }
}

interface Running {
  readonly options: RunOptions;
  readonly signal: AbortSignal;
  readonly onReport: (report: FileReport) => void;
  readonly run: (file: TestFile) => Promise<void>;
}

/**
 * Runs the files in one process, so that they load what they share once. With --only, each runs in its own process.
 */
async function runTogether(
  files: readonly TestFile[],
  { options, signal, onReport, run }: Running,
  environment: NodeJS.ProcessEnv = {},
): Promise<void> {
  const { only, timeoutMs } = options;
  const env = { ...testEnvironment(), ...environment };
  const paths = files.map(({ path }) => path);
  if (only === undefined) await runFiles(paths, { root, env, timeoutMs, onReport, signal });
  else for (const file of files) await run(file);
}

interface Reports {
  readonly files: readonly FileReport[];
  /** CPU time of shared servers. */
  readonly serversMs: number;
}

/** Runs all files, then `afterKernel`, which runs in parallel with the guest if the guest takes longer. */
async function runAll(
  files: readonly TestFile[],
  options: RunOptions,
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
    if (!signal.aborted) onReport(await runFile(root, file.path, options, signal));
  };
  const filesOf = (selected: Turn): TestFile[] => files.filter(({ turn }) => turn === selected);
  const running = { options, signal, onReport, run };
  {
    await using _servers = await hostSharedServers();
    const queue = files.filter(({ turn }) => turn === undefined || !(LAST_TURNS.has(turn) || turn === 'rules'));
    const others = Array.from({ length: CONCURRENCY - 1 }, () => drain(queue, busy, run));
    await Promise.all([runTogether(filesOf('rules'), running).then(() => drain(queue, busy, run)), ...others]);
  }
  const serversMs = cpuOfLastEndedMs();
  const kernel = async (): Promise<void> => {
    await runTogether(filesOf('sensor'), running, { RINGFENCE_TEST_KEEP: '1' });
    await drain(filesOf('kernel'), busy, run);
    if (!signal.aborted) reports.push(...(await afterKernel()));
  };
  await Promise.all([kernel(), drain(filesOf('guest'), busy, run)]);
  return { files: reports, serversMs };
}

async function check(): Promise<FileReport[]> {
  const report = await runCheck(root);
  printFile(report);
  return [report];
}

/** Returns the arguments. Prints a wrong argument and returns undefined. */
function parseArguments(): TestArguments | undefined {
  try {
    const selection = parseTestArguments(process.argv.slice(2));
    if (Number(selection.timeout) > 0) return selection;
    console.error(`--timeout ${selection.timeout}: expected seconds, above 0`);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(error.message);
  }
  return undefined;
}

async function main(): Promise<number> {
  const selection = parseArguments();
  if (selection === undefined) return 2;
  const { filters, only } = selection;
  const files = findTestFiles(root, filters);
  if (selection.help) {
    console.log(headComment(import.meta.filename));
    return 0;
  }
  if (selection.list) {
    for (const file of files) console.log(file.path);
    return 0;
  }
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
  const isFullRun = filters.length === 0 && only === undefined;
  const options = { only, timeoutMs: Number(selection.timeout) * 1000 };
  const { files: reports, serversMs } = await runAll(files, options, abort.signal, isFullRun ? check : async () => []);
  printFailures(reports);
  if (isFullRun) printCosts(reports, serversMs);
  if (files.length === 0) console.log(`no test file matches ${filters.join(' ')}`);
  const failed = printTotals(reports);
  return failed > 0 || files.length === 0 || abort.signal.aborted ? 1 : 0;
}

process.exitCode = await main();
