/**
 * Runs the tests: npm test [-- [FILTER…] [--only PATTERN] [--timeout SECONDS] [--list]]
 *
 * FILTER keeps the files whose path contains it (any of several); --only keeps the tests whose title matches. Files run two at a time; what
 * uses the kernel or a whole program runs alone, afterwards. A file that takes longer than --timeout (600) is killed and has failed. Servers that
 * files share (sharedKafka and so on) are started when the first asks. A full run ends with `npm run check`. The last line is always
 * `N passed, N failed, N skipped`.
 */
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { hostSharedServers } from '@ringfence/testkit';
import { findTestFiles, type TestFile } from './test-runner/files.ts';
import { printFailures, printFile, printTotals } from './test-runner/report.ts';
import { runCheck } from './test-runner/run-check.ts';
import { type FileReport, type RunOptions, runFile } from './test-runner/run-file.ts';

const CONCURRENCY = 2;
const root = dirname(import.meta.dirname);

/** Takes files from the front until none is left; several of these at once make the concurrency. */
async function drain(queue: TestFile[], how: RunOptions, reports: FileReport[], signal: AbortSignal): Promise<void> {
  for (let file = queue.shift(); file !== undefined && !signal.aborted; file = queue.shift()) {
    const report = await runFile(root, file, how, signal);
    printFile(report);
    reports.push(report);
  }
}

async function runAll(files: readonly TestFile[], how: RunOptions, signal: AbortSignal): Promise<FileReport[]> {
  const reports: FileReport[] = [];
  const together = files.filter((file) => !file.alone);
  await Promise.all(Array.from({ length: CONCURRENCY }, () => drain(together, how, reports, signal)));
  const alone = files.filter((file) => file.alone);
  await drain(alone, how, reports, signal);
  return reports;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string' }, timeout: { type: 'string', default: '600' }, list: { type: 'boolean' } },
  });
  const files = await findTestFiles(root, positionals);
  if (values.list) {
    for (const file of files) console.log(file.path);
    return 0;
  }
  const timeoutMs = Number(values.timeout) * 1000;
  if (!(timeoutMs > 0)) {
    console.error(`--timeout ${values.timeout}: expected seconds, above 0`);
    return 2;
  }
  const abort = new AbortController();
  await using _servers = await hostSharedServers();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
  const reports = await runAll(files, { only: values.only, timeoutMs }, abort.signal);
  const whole = positionals.length === 0 && values.only === undefined;
  if (whole && !abort.signal.aborted) {
    const check = await runCheck(root);
    printFile(check);
    reports.push(check);
  }
  printFailures(reports);
  if (files.length === 0) console.log(`no test file matches ${positionals.join(' ')}`);
  const failed = printTotals(reports);
  return failed > 0 || files.length === 0 || abort.signal.aborted ? 1 : 0;
}

process.exitCode = await main();
