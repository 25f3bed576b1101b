import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Compiles and runs records.c, and returns its output: the text of records.golden.txt. */
export function recordsGolden(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ringfence-golden-'));
  try {
    const program = join(directory, 'records');
    execFileSync('cc', ['-Wall', '-Werror', '-o', program, join(import.meta.dirname, 'records.c')]);
    return execFileSync(program, { encoding: 'utf8' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
