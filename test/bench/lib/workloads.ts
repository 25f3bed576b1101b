import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchError } from './errors.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const REQUESTS = 40_000;

/** `make -j2` of SQLite and of the C programs of the sensor's tests */
export class Compile {
  readonly #dir: string;

  /** Throws BenchError when make is not installed. */
  constructor(directory: string) {
    if (spawnSync('make', ['--version']).status !== 0)
      throw new BenchError('ERR_BENCH_SETUP', 'make is not installed: apt-get install make');
    this.#dir = join(directory, 'compile');
    mkdirSync(this.#dir, { recursive: true });
    const sources = [
      join(ROOT, 'node_modules/better-sqlite3/deps/sqlite3/sqlite3.c'),
      ...globSync(join(ROOT, 'test/kernel/programs/*.c')),
    ];
    const objects = sources.map((source) => `${basename(source, '.c')}.o`);
    const rules = sources.map((source, i) => `${objects[i]}: ${source}\n\tcc -O1 -c -o $@ $<\n`);
    writeFileSync(join(this.#dir, 'Makefile'), [`all: ${objects.join(' ')}\n`, ...rules].join('\n'));
  }

  get command(): readonly string[] {
    return ['make', '-s', '-B', '-j2', '-C', this.#dir];
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** Returns a command that sends a fixed number of SET and GET requests. */
export const redisCommand = (port: number): readonly string[] => {
  return ['redis-benchmark', '-h', '127.0.0.1', '-p', String(port), '-t', 'set,get', '-n', String(REQUESTS), '-q'];
};
