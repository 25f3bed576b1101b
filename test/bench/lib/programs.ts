import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BenchError } from './errors.ts';
import { interrupted } from './interrupt.ts';

const run = promisify(execFile);
const SOURCES = fileURLToPath(new URL('../programs/', import.meta.url));
const FLAGS: Readonly<Record<string, readonly string[]>> = {
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
  /** of the caller, seconds */
  readonly cpu_s: number;
}

/** What a program took. */
export interface Timed {
  readonly seconds: number;
  /** of itself and of its children that it has waited for, seconds */
  readonly cpu_s: number;
  /** what it printed */
  readonly output: string;
}

/** The programs of programs/, compiled. */
export class Programs {
  readonly #dir: string;

  /** Compiles into `dir`. Throws BenchError with what the compiler says. */
  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
    for (const [name, flags] of Object.entries(FLAGS)) {
      const args = ['-O2', '-Wall', ...flags, '-o', this.path(name), join(SOURCES, `${name}.c`)];
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
   * `rate`: operations per second; 0: as fast as it goes. `cpu`: the one that all of it runs on; null: any. `dir`: where the file lies that is opened.
   */
  async load(
    mode: LoadMode,
    seconds: number,
    rate = 0,
    cpu: number | null = null,
    dir: string = this.#dir,
  ): Promise<LoadResult> {
    const tied = cpu === null ? [] : ['taskset', '-c', String(cpu)];
    const [file = '', ...args] = [...tied, ...this.loadCommand(mode, seconds, rate, dir)];
    const { stdout } = await run(file, args, { signal: interrupted });
    return JSON.parse(stdout) as LoadResult;
  }

  /** Runs it under `timed`. `cpu`: the one that all of it runs on; null: any. */
  async timed(command: readonly string[], cpu: number | null = null): Promise<Timed> {
    const tied = cpu === null ? [] : ['taskset', '-c', String(cpu)];
    const { stdout, stderr } = await run(this.path('timed'), [...tied, ...command], { signal: interrupted });
    return { ...(JSON.parse(stdout) as Omit<Timed, 'output'>), output: stderr };
  }

  /** Programs of all sorts, one after the other, below `dir`: day.sh. */
  async day(seconds: number, dir: string): Promise<void> {
    await run('sh', [join(SOURCES, 'day.sh'), String(Math.ceil(seconds)), dir], { signal: interrupted });
  }

  /** Where `load` has the file that it opens. */
  get directory(): string {
    return this.#dir;
  }

  /** What a program prints, by line. */
  async lines(name: string, args: readonly string[]): Promise<string[]> {
    const { stdout } = await run(this.path(name), [...args], { maxBuffer: 1 << 26, signal: interrupted });
    return stdout.split('\n').filter(Boolean);
  }
}
