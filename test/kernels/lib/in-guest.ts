/**
 * Runs where the kernel under test does: `node in-guest.ts FILE…`. Prints a line of JSON for what became of the sensor's programs, and one for each
 * test file.
 */
import { release } from 'node:os';
import { join } from 'node:path';
import { type FileReport, runFile } from '../../../tools/test-runner/run-file.ts';
import { cgroup2, sensorObject } from '../../kernel/sensor/sensor.ts';
import { judgePrograms, type ProgramVerdict } from './programs.ts';

/** A line of the guest. */
export type GuestLine =
  | { readonly type: 'programs'; readonly release: string; readonly programs: readonly ProgramVerdict[] }
  | { readonly type: 'file'; readonly report: FileReport };

/** an emulated machine is some ten times slower than this one */
const FILE_TIMEOUT_MS = 300_000;

function print(line: GuestLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '../../..');
  const never = new AbortController().signal;
  print({ type: 'programs', release: release(), programs: judgePrograms(await sensorObject(), cgroup2() ?? '') });
  for (const path of process.argv.slice(2)) {
    const report = await runFile(
      root,
      { path, turn: 'kernel' },
      { only: undefined, timeoutMs: FILE_TIMEOUT_MS },
      never,
    );
    print({ type: 'file', report });
  }
}
