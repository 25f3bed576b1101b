import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export function cgroupRoot(): string {
  const line = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((text) => text.split(' '))
    .find((fields) => fields[2] === 'cgroup2');
  if (line?.[1] === undefined) throw new Error('cgroup2 is not mounted');
  return line[1];
}

/** Returns the processes of a cgroup whose executable has this name. */
export function pidsIn(cgroup: string, name: string): number[] {
  const pids = readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  return pids.filter((pid) => commOf(pid) === name);
}

function commOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return ''; // The process has ended.
  }
}

/** A cgroup and a mount namespace that the agent treats as a container. Disposal kills its processes and no others. */
export class TestContainer implements AsyncDisposable {
  readonly id: string;
  readonly cgroup: string;
  readonly #description: string;
  readonly #children: ChildProcess[] = [];

  /** @param prefix prefix of the cgroup's name, for the scope of a policy */
  constructor(runDir: string, prefix = 'rf-test') {
    this.id = `${prefix}-${randomBytes(4).toString('hex')}`;
    this.cgroup = join(cgroupRoot(), this.id);
    mkdirSync(this.cgroup);
    const directory = join(runDir, 'containers.d');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#description = join(directory, `${this.id}.json`);
    const facts = {
      id: this.id,
      name: 'test-1',
      image: 'test/image:1',
      runtime: 'test',
      privileged: false,
      labels: {},
    };
    writeFileSync(this.#description, JSON.stringify({ cgroupPath: `/${this.id}`, ...facts }));
  }

  /** Runs a shell script in the container, with an empty tmpfs on each folder of `scratch`. */
  run(script: string, scratch: readonly string[] = []): ChildProcess {
    const mounts = scratch.map((folder) => `mount -t tmpfs tmpfs ${folder}`);
    const text = [...mounts, `echo $$ > ${this.cgroup}/cgroup.procs`, script].join('\n');
    const child = spawn('unshare', ['--mount', '--propagation', 'private', '/bin/sh', '-ec', text], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = this.#children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const ended = ends.map((child) => once(child, 'exit'));
    writeFileSync(join(this.cgroup, 'cgroup.kill'), '1');
    await Promise.all(ended);
    rmSync(this.#description, { force: true });
    for (let tries = 0; existsSync(this.cgroup); tries++) {
      try {
        rmdirSync(this.cgroup);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || tries > 100) throw error;
        await sleep(20); // Killed processes leave the cgroup shortly after they are reaped.
      }
    }
  }
}
