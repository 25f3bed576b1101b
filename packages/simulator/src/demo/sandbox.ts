import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endsWithin } from '@ringfence/base';
import { DemoError } from './errors.ts';
import { SandboxFiles } from './sandbox-files.ts';

const SCRIPT = fileURLToPath(new URL('./sandbox.sh', import.meta.url));

/** Returns the mount point of cgroup v2. Throws DemoError when it is not mounted. */
export function cgroupRoot(mounts: string = readFileSync('/proc/mounts', 'utf8')): string {
  const line = mounts.split('\n').find((text) => text.split(' ')[2] === 'cgroup2');
  const path = line?.split(' ')[1];
  if (path === undefined) throw new DemoError('no cgroup v2 is mounted; try: mount -t cgroup2 cgroup2 /sys/fs/cgroup');
  return path;
}

export interface SandboxOptions {
  /** 8 hex digits. */
  readonly id: string;
  /** Folder from which the collector reads descriptions of containers that no runtime knows. */
  readonly containersDir: string;
  /** Folder that only root may enter; has the sandbox's files while the sandbox exists. */
  readonly filesDir: string;
}

/** A container made by the demo, with a cgroup and mount, pid, ipc and uts namespaces. Disposing it ends all of it. */
export class Sandbox implements AsyncDisposable {
  readonly name: string;
  readonly #cgroup: string;
  readonly #description: string;
  readonly #files: SandboxFiles;
  #process: ChildProcess | undefined;
  #stderr = '';

  constructor({ id, containersDir, filesDir }: SandboxOptions) {
    this.name = `ringfence-demo-${id}`;
    this.#cgroup = join(cgroupRoot(), this.name);
    this.#description = join(containersDir, `${this.name}.json`);
    this.#files = new SandboxFiles(filesDir);
    mkdirSync(this.#cgroup);
    mkdirSync(containersDir, { recursive: true });
    const container = {
      cgroupPath: `/${this.name}`,
      id: this.name,
      name: 'web-1',
      image: 'shop/web:1.4',
      runtime: 'ringfence-demo',
      privileged: false,
      labels: {},
    };
    writeFileSync(this.#description, `${JSON.stringify(container, null, 2)}\n`);
  }

  /** Starts the vulnerable service and waits until it accepts requests. Rejects with DemoError. */
  async start(): Promise<void> {
    const unshare = [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      '--ipc',
      '--uts',
      '--propagation',
      'private',
    ];
    const child = spawn('unshare', [...unshare, '/bin/sh', SCRIPT, this.#cgroup, this.#files.path], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#process = child;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-2000);
    });
    child.on('error', (cause) => {
      this.#stderr += String(cause);
    });
    for (let waited = 0; waited < 10_000; waited += 20) {
      if (child.exitCode !== null || child.pid === undefined) break;
      if (this.#isServing()) return;
      await sleep(20);
    }
    throw new DemoError(`the sandbox did not start: ${this.#stderr.trim() || 'it is not ready after 10 s'}`);
  }

  /** Whether the script in the cgroup has executed the service. */
  #isServing(): boolean {
    const [pid] = this.pids();
    if (pid === undefined) return false;
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'httpd\n';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH')
        return false;
      throw error;
    }
  }

  /** Processes of the sandbox, with their pids on the host. */
  pids(): number[] {
    return readFileSync(join(this.#cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  }

  /** Sends a request to the service: the name of a picture. */
  request(picture: string): void {
    this.#process?.stdin?.write(`${picture}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#process;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      // Kills the processes inside first: unshare then reaps its child and ends.
      writeFileSync(join(this.#cgroup, 'cgroup.kill'), '1');
      if (!(await endsWithin(exited, 2000))) child.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#description, { force: true });
    this.#files[Symbol.dispose]();
    for (let waited = 0; existsSync(this.#cgroup); waited += 20) {
      try {
        rmdirSync(this.#cgroup);
      } catch (error) {
        // A killed process leaves its cgroup shortly after it was reaped.
        if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || waited > 5000) throw error;
        await sleep(20);
      }
    }
  }
}
