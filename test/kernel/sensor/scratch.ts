/** Where a test of the sensor has its files, and the programs that provoke events. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const programs = join(import.meta.dirname, '../programs');
/** In a guest with another kernel there is no compiler: what test/kernels/ built is there. */
export const prebuilt: string | undefined = process.env['RINGFENCE_TEST_PREBUILT'];

/** Programs that need a library's headers, which not every machine has. */
export const LIBRARIES: Readonly<Record<string, readonly string[]>> = { tls: ['-lssl', '-lcrypto'] };

/** Compiles test/kernel/programs/NAME.c. */
export function compileProgram(name: string, output: string): void {
  if (prebuilt !== undefined) copyFileSync(join(prebuilt, name), output);
  else execFileSync('cc', ['-O1', '-pthread', '-o', output, join(programs, `${name}.c`), ...(LIBRARIES[name] ?? [])]);
}

/** A directory of this test's own, removed with all in it, however deep. */
export class Scratch implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ringfence-sensor-'));

  /** Compiles test/kernel/programs/NAME.c. */
  compile(name: string): string {
    const output = join(this.path, name);
    compileProgram(name, output);
    return output;
  }

  [Symbol.dispose](): void {
    // rm goes down directory by directory; a path as long as the ones made here fits into no system call
    execFileSync('rm', ['-rf', this.path]);
  }
}
