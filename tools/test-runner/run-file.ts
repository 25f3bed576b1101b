import { join } from 'node:path';
import { run } from 'node:test';
import type { TestFile } from './files.ts';

export interface Failure {
  readonly title: string;
  readonly error: unknown;
}

export interface FileReport {
  readonly path: string;
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly skipped: readonly { readonly title: string; readonly reason: string }[];
  /** what the file printed, the last 64 KiB */
  readonly output: string;
  readonly durationMs: number;
}

/** One test that hangs must not hold the whole run. */
const FILE_TIMEOUT_MS = 10 * 60_000;
const KEPT_OUTPUT = 64 * 1024;

/** What node:test puts around the real error. */
function rootError(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}

/** Runs one file in a process of its own. A file that registers no test (or leaves before it does) has failed. */
export async function runFile(
  root: string,
  file: TestFile,
  only: string | undefined,
  signal: AbortSignal,
): Promise<FileReport> {
  const started = performance.now();
  const path = join(root, file.path);
  const failures: Failure[] = [];
  const skipped: { title: string; reason: string }[] = [];
  let passed = 0;
  let output = '';
  const events = run({
    files: [path],
    concurrency: 1,
    timeout: FILE_TIMEOUT_MS,
    signal,
    ...(only === undefined ? {} : { testNamePatterns: [only] }),
  });
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') output = (output + data.message).slice(-KEPT_OUTPUT);
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const ofFile = data.name === path;
    if (type === 'test:fail') {
      // A parent fails because a child did; the child says why.
      const { error } = data.details;
      if (!('failureType' in error) || error.failureType !== 'subtestsFailed')
        failures.push({ title: ofFile ? 'the file itself' : data.name, error: rootError(error) });
    } else if (data.skip !== undefined && data.skip !== false) {
      skipped.push({
        title: data.name,
        reason: typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason given',
      });
    } else if (data.details.type !== 'suite' && !ofFile) {
      passed += 1;
    }
  }
  if (passed + failures.length + skipped.length === 0 && only === undefined) {
    failures.push({ title: 'the file itself', error: new Error('it registered no test') });
  }
  return { path: file.path, passed, failures, skipped, output, durationMs: performance.now() - started };
}
