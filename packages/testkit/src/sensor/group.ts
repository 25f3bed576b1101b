import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cgroup2 } from './loaded.ts';

/** A cgroup for the programs of a test. */
export class Group implements AsyncDisposable {
  static #count = 0;
  readonly path: string;
  readonly id: bigint;

  /** @param parent the cgroup to make it in. @default the root of the hierarchy */
  constructor(parent?: Group) {
    this.path = `${parent?.path ?? cgroup2()}/rf-share-${process.pid}-${Group.#count++}`;
    mkdirSync(this.path);
    this.id = statSync(this.path, { bigint: true }).ino;
  }

  /** Starts a command in the cgroup. */
  start(...command: readonly string[]): ChildProcess {
    const enter = `echo $$ > ${this.path}/cgroup.procs && exec "$@"`;
    return spawn('/bin/sh', ['-c', enter, 'sh', ...command], { stdio: 'ignore' });
  }

  /** Runs a command in the cgroup until it exits, without draining the rings. Returns its pid. */
  async run(...command: readonly string[]): Promise<number> {
    const child = this.start(...command);
    await once(child, 'exit');
    return child.pid as number;
  }

  /** Kills the processes of the cgroup until none is left. */
  async stop(): Promise<void> {
    for (;;) {
      const processes = readFileSync(`${this.path}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
      if (processes.length === 0) return;
      for (const pid of processes) kill(pid);
      await sleep(10);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmdirSync(this.path);
  }
}

/** The process may have ended meanwhile. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
