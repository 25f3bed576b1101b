/** Directories of sensor tests, and the programs that provoke events. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const programs = join(import.meta.dirname, '../../../../test/kernel/programs');
/** Compiled programs, shared by all tests: each program is used by about three of them. */
const compiled = join(import.meta.dirname, '../../../../dist/test-programs');
/** Directory of programs that test/kernels/ compiled. A guest has no compiler. */
export const prebuilt: string | undefined = process.env['RINGFENCE_TEST_PREBUILT'];
/** Whether the tests run in a machine that test/kernels/ booted, whose processor is emulated. */
export const inGuest: boolean = prebuilt !== undefined;

/** Programs that need headers of a library, which may not be installed. */
export const LIBRARIES: Readonly<Record<string, readonly string[]>> = { tls: ['-lssl', '-lcrypto'] };

/** Compiles test/kernel/programs/NAME.c if it has changed. */
export function compileProgram(name: string, output: string): void {
  copyFileSync(prebuilt === undefined ? compile(name) : join(prebuilt, name), output);
}

function compile(name: string): string {
  const source = join(programs, `${name}.c`);
  const program = join(compiled, name);
  const compiledAt = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if ([source, import.meta.filename].every((path) => statSync(path).mtimeMs < compiledAt)) return program;
  mkdirSync(compiled, { recursive: true });
  // Rename, because another test may compile it at the same time.
  const temporary = `${program}-${process.pid}`;
  execFileSync('cc', ['-O1', '-pthread', '-o', temporary, source, ...(LIBRARIES[name] ?? [])]);
  renameSync(temporary, program);
  return program;
}

/** A directory for one test, removed with its contents on dispose. */
export class Scratch implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ringfence-sensor-'));

  /** Compiles test/kernel/programs/NAME.c. */
  compile(name: string): string {
    const output = join(this.path, name);
    compileProgram(name, output);
    return output;
  }

  [Symbol.dispose](): void {
    // rm descends directory by directory. The paths that tests create are too long for a single system call.
    execFileSync('rm', ['-rf', this.path]);
  }
}
