import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findCompiler } from '@ringfence/sensor/build';
import { BenchError } from './errors.ts';
import { interrupted } from './interrupt.ts';

const run = promisify(execFile);
const INCLUDE = `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
const SOURCES = fileURLToPath(new URL('../programs/', import.meta.url));
const TEST_SOURCES = fileURLToPath(new URL('../../kernel/programs/', import.meta.url));
/** Programs that the sensor's tests use, too */
const SHARED: ReadonlySet<string> = new Set(['bystander', 'flood']);
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  bystander: [],
  flood: [],
  load: [],
  pages: [],
  stamp: [],
  timed: [],
  trigger: [],
  victim: [],
  nothing: ['-nostdlib', '-static'],
};

export type LoadMode = 'open' | 'exec' | 'connect' | 'getpid' | 'mixed' | 'busy';

/** The line that `load` prints. */
export interface LoadResult {
  readonly ops: number;
  readonly seconds: number;
  readonly ops_per_s: number;
  /** CPU time of the load, seconds */
  readonly cpu_s: number;
}

/** Time and output of a program run by `timed` */
export interface Timed {
  readonly seconds: number;
  /** CPU time of the program and of the children it waited for, seconds */
  readonly cpu_s: number;
  readonly output: string;
}

/** The compiled C programs of programs/ */
export class Programs {
  readonly #dir: string;

  /** Compiles into `dir`. Throws BenchError with the compiler's output. */
  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
    for (const [name, flags] of Object.entries(FLAGS)) {
      const args = [
        '-O2',
        '-Wall',
        ...flags,
        '-o',
        this.path(name),
        join(SHARED.has(name) ? TEST_SOURCES : SOURCES, `${name}.c`),
      ];
      const { status, stderr, error } = spawnSync('cc', args, { encoding: 'utf8' });
      if (status !== 0)
        throw new BenchError('ERR_BENCH_SETUP', `cc ${args.join(' ')} failed: ${stderr || error?.message}`, {
          cause: error,
        });
    }
  }

  path(name: string): string {
    return join(this.#dir, name);
  }

  loadCommand(mode: LoadMode, seconds: number, rate = 0, dir: string = this.#dir): readonly string[] {
    return [this.path('load'), mode, String(seconds), String(rate), dir];
  }

  /**
   * Runs `load`: `rate` operations per second (0: full speed), on `cpu` alone (null: on any), with the file to open in
   * `dir`.
   */
  async load(
    mode: LoadMode,
    seconds: number,
    rate = 0,
    cpu: number | null = null,
    dir: string = this.#dir,
  ): Promise<LoadResult> {
    const pinning = cpu === null ? [] : ['taskset', '-c', String(cpu)];
    const [file = '', ...args] = [...pinning, ...this.loadCommand(mode, seconds, rate, dir)];
    const { stdout } = await run(file, args, { signal: interrupted });
    return JSON.parse(stdout) as LoadResult;
  }

  /** Runs a command under `timed`, on `cpu` alone (null: on any). */
  async timed(command: readonly string[], cpu: number | null = null): Promise<Timed> {
    const pinning = cpu === null ? [] : ['taskset', '-c', String(cpu)];
    const { stdout, stderr } = await run(this.path('timed'), [...pinning, ...command], { signal: interrupted });
    return { ...(JSON.parse(stdout) as Omit<Timed, 'output'>), output: stderr };
  }

  /** Runs day.sh below `dir`: various programs, one after another. */
  async day(seconds: number, dir: string): Promise<void> {
    await run('sh', [join(SOURCES, 'day.sh'), String(Math.ceil(seconds)), dir], { signal: interrupted });
  }

  /** Directory of the file that `load` opens by default */
  get directory(): string {
    return this.#dir;
  }

  /** Runs a program and returns the lines that it prints. */
  async lines(name: string, args: readonly string[]): Promise<string[]> {
    const { stdout } = await run(this.path(name), [...args], { maxBuffer: 1 << 26, signal: interrupted });
    return stdout.split('\n').filter(Boolean);
  }
}

/** Compiles a BPF program that needs no kernel types. Rejects with SensorBuildError when there is no compiler. */
export async function compileBpf(source: string, object: string): Promise<void> {
  const { name: compiler } = await findCompiler();
  execFileSync(compiler, ['-target', 'bpf', '-mcpu=v3', '-O2', '-g', `-I${INCLUDE}`, '-c', source, '-o', object]);
}
