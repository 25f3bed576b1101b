import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = globSync(fileURLToPath(new URL('../../kernel/programs/*.c', import.meta.url))).filter(
  (path) => !path.endsWith('pam.c'),
);
/** Compiles one source after the other without end, and writes a byte after each. */
const LOOP = 'out=$1; shift; while :; do for source; do cc -O1 -c -o "$out" "$source" && printf .; done; done';

/** Compilers that run at the same time, without end, until they are disposed. */
export class Compilers implements AsyncDisposable {
  readonly #dir: string;
  readonly #children: readonly ChildProcess[];
  /** Sources that were compiled */
  compiled = 0;

  /** @param dir a new directory for their output */
  constructor(dir: string, loops: number) {
    this.#dir = dir;
    mkdirSync(dir);
    this.#children = Array.from({ length: loops }, (_, loop) => {
      const args = ['-c', LOOP, 'sh', join(dir, `${loop}.o`), ...SOURCES];
      // A group of its own, because a compiler is several processes.
      const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
      child.stdout?.on('data', (chunk: Buffer) => {
        this.compiled += chunk.length;
      });
      return child;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      const ended = once(child, 'exit');
      process.kill(-(child.pid as number), 'SIGKILL');
      await ended;
    }
    rmSync(this.#dir, { recursive: true });
  }
}
