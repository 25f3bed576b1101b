/** File systems in user space that do not answer, and the mount namespaces in which they are mounted. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Builds the server of such a file system: `PROGRAM DIRECTORY lookups` answers no lookup, `PROGRAM DIRECTORY reads` no
 * read. Returns why it can't be built or mounted here, or false.
 */
export function silentFuseSkip(program: string): string | false {
  const source = join(import.meta.dirname, 'programs/silent-fuse.c');
  if (spawnSync('cc', ['-o', program, source]).status !== 0) return 'there is no C compiler with linux/fuse.h';
  const args = ['-m', program, join(program, '..'), 'probe'];
  const { stdout } = spawnSync('unshare', args, { encoding: 'utf8' });
  return stdout === 'mounted\n' ? false : 'a FUSE file system cannot be mounted here';
}

/** A mount namespace, in which a shell runs. It ends with its file systems. */
export class OtherMounts implements AsyncDisposable {
  readonly #shell: ChildProcess;
  readonly pid: number;
  /** A new directory, in which the shell runs. */
  readonly directory: string;

  constructor(parent: string) {
    this.directory = mkdtempSync(join(parent, 'mounts-'));
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    this.#shell = spawn('unshare', ['-m', 'sh', '-e'], { cwd: this.directory, stdio: [...stdio] });
    this.pid = this.#shell.pid as number;
  }

  /** Runs a command in the namespace, and returns when it has printed a line. */
  async run(command: string): Promise<void> {
    this.#shell.stdin?.write(`${command}\n`);
    await once(this.#shell.stdout as NodeJS.EventEmitter, 'data');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shell.kill('SIGKILL');
    await once(this.#shell, 'close');
  }
}
