import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from './errors.ts';

const PERIOD_US = 100_000;

/** Limits a process to a share of one core, by a cgroup of its own. Disposing moves the process back. */
export class Squeeze implements AsyncDisposable {
  readonly #root: string;
  readonly #path: string;
  readonly #file: string;
  readonly #pid: number;

  /** Throws BenchError when this machine has no CPU controller. */
  constructor(pid: number) {
    const { root, file } = findController();
    this.#root = root;
    this.#path = `${root}/rf-bench-${process.pid}`;
    this.#file = `${this.#path}/${file}`;
    this.#pid = pid;
    mkdirSync(this.#path);
    writeFileSync(`${this.#path}/cgroup.procs`, String(pid));
  }

  /** @param share of one core, or null for no limit */
  limit(share: number | null): void {
    if (this.#file.endsWith('cpu.max')) {
      writeFileSync(this.#file, `${share === null ? 'max' : share * PERIOD_US} ${PERIOD_US}`);
      return;
    }
    writeFileSync(this.#file, share === null ? '-1' : String(share * PERIOD_US));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (existsSync(`/proc/${this.#pid}`)) writeFileSync(`${this.#root}/cgroup.procs`, String(this.#pid));
    while (readFileSync(`${this.#path}/cgroup.procs`, 'utf8') !== '') await sleep(10);
    rmdirSync(this.#path);
  }
}

/** Returns the mount point of the CPU controller and the name of its limit: in the v1 hierarchy, or in v2. */
function findController(): { readonly root: string; readonly file: string } {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const v1 = mounts.find(([, , type, options = '']) => type === 'cgroup' && options.split(',').includes('cpu'))?.[1];
  if (v1 !== undefined) return { root: v1, file: 'cpu.cfs_quota_us' };
  const v2 = mounts.find(([, , type]) => type === 'cgroup2')?.[1];
  if (v2 !== undefined && readFileSync(`${v2}/cgroup.subtree_control`, 'utf8').split(/\s/).includes('cpu'))
    return { root: v2, file: 'cpu.max' };
  throw new BenchError('ERR_BENCH_SETUP', 'no CPU controller of cgroups is mounted, so the agent cannot be limited');
}
