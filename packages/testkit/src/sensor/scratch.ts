/** Where a test of the sensor has its files, and the programs that provoke events. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const programs = join(import.meta.dirname, '../../../../test/kernel/programs');
/** What they were compiled to, by whatever test was the first: there are three times as many that use one as there are programs. */
const compiled = join(import.meta.dirname, '../../../../dist/test-programs');
/** In a guest with another kernel there is no compiler: what test/kernels/ built is there. */
export const prebuilt: string | undefined = process.env['RINGFENCE_TEST_PREBUILT'];

/** Programs that need a library's headers, which not every machine has. */
export const LIBRARIES: Readonly<Record<string, readonly string[]>> = { tls: ['-lssl', '-lcrypto'] };

/** Compiles test/kernel/programs/NAME.c, unless that was done since it was changed. */
export function compileProgram(name: string, output: string): void {
  copyFileSync(prebuilt === undefined ? compile(name) : join(prebuilt, name), output);
}

function compile(name: string): string {
  const source = join(programs, `${name}.c`);
  const program = join(compiled, name);
  const made = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if ([source, import.meta.filename].every((path) => statSync(path).mtimeMs < made)) return program;
  mkdirSync(compiled, { recursive: true });
  // Another test may compile it as well.
  const own = `${program}-${process.pid}`;
  execFileSync('cc', ['-O1', '-pthread', '-o', own, source, ...(LIBRARIES[name] ?? [])]);
  renameSync(own, program);
  return program;
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
