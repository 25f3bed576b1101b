import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { cpuOfLastEndedMs } from './cpu.ts';
import type { FileReport } from './file-report.ts';

const TITLE = 'types, lint, dead code and documents are clean (npm run check)';

/** Runs `npm run check` as one test of the run. */
export async function runCheck(root: string): Promise<FileReport> {
  const started = performance.now();
  const child = spawn(process.execPath, [...process.execArgv, join(root, 'tools/check.ts')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [output, code] = await Promise.all([text(child.stdout), ended]);
  const failures = code === 0 ? [] : [{ title: TITLE, error: `npm run check exited with ${code}` }];
  return {
    path: 'npm run check',
    passed: code === 0 ? 1 : 0,
    failures,
    skipped: [],
    output,
    durationMs: performance.now() - started,
    cpuMs: cpuOfLastEndedMs(),
  };
}
