import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOME } from '@ringfence/config';
import { cgroupRoot, cgroupsOf, removeCgroups } from '@ringfence/simulator/demo';

const SCRIPT = join(import.meta.dirname, 'sandbox.sh');
/** Shell functions for scripts, which read them from /opt/lab/lib.sh. */
export const LIBRARY: string = join(import.meta.dirname, 'lib.sh');
/** Program that answers a procedure's connections, at /opt/lab/outside.py. */
export const OUTSIDE: string = join(import.meta.dirname, 'outside.py');
/** Container engine and programs that `npm test` fetches. */
export const FETCHED: string = join(HOME, 'dist/engine');
const UNSHARE = [
  ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--net', '--ipc', '--uts'],
  ...['--propagation', 'private'],
];
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const KEPT_STDERR = 2000;

export interface SandboxOptions {
  /** Name of the cgroup and of the container. */
  readonly name: string;
  /** Image of the container; undefined: the processes are the host's. */
  readonly image?: string | undefined;
  /** Folder with descriptions of containers that no runtime knows. */
  readonly containersDir: string;
  /** Folder that scripts see at /opt/lab. */
  readonly programsDir: string;
  /** The machine is a guest that ends with the script, so nothing is isolated. @default false */
  readonly inGuest?: boolean;
  /** User of scripts that must not change the machine; see `confined` of lib.sh. @default root, not confined */
  readonly confinedTo?: 'root' | 'ann';
}

export interface PlayedScript {
  readonly code: number | null;
  /** Last part of standard error. */
  readonly stderr: string;
}

/** A cgroup in which scripts run as processes of a host or of a container; see sandbox.sh. */
export class Sandbox implements AsyncDisposable {
  /** Number of its directory, by which events name it. */
  readonly cgroup: bigint;
  readonly #name: string;
  readonly #path: string;
  readonly #description: string;
  /** Undefined in a guest. */
  readonly #layer: string | undefined;
  readonly #programs: string;
  readonly #user: string;

  constructor({ name, image, containersDir, programsDir, inGuest = false, confinedTo }: SandboxOptions) {
    this.#layer = inGuest ? undefined : mkdtempSync(join(tmpdir(), 'ringfence-lab-'));
    this.#name = name;
    this.#path = join(cgroupRoot(), name);
    this.#description = join(containersDir, `${name}.json`);
    this.#programs = programsDir;
    this.#user = confinedTo ?? '';
    mkdirSync(this.#path);
    this.cgroup = statSync(this.#path, { bigint: true }).ino;
    if (image === undefined) return;
    const container = { id: name, name: 'web-1', image, runtime: 'lab', privileged: false, labels: {} };
    writeFileSync(this.#description, JSON.stringify({ cgroupPath: `/${name}`, ...container }));
  }

  /** Whether the cgroup with this number is the sandbox's or lies below it. */
  holds(cgroup: bigint): boolean {
    if (cgroup === this.cgroup) return true;
    if (!existsSync(this.#path)) return false;
    return readdirSync(this.#path, { withFileTypes: true, recursive: true }).some(
      (entry) =>
        entry.isDirectory() &&
        statSync(join(entry.parentPath, entry.name), { bigint: true, throwIfNoEntry: false })?.ino === cgroup,
    );
  }

  /**
   * Runs a script until it ends, the limit passes or `signal` aborts, then kills its remaining processes.
   * @param setup shell commands before it, which run outside of the cgroup
   */
  async play(script: string, limitMs: number, setup = '', signal?: AbortSignal): Promise<PlayedScript> {
    const unshare = this.#layer === undefined ? [] : UNSHARE;
    // A session of its own, as a login has: its leader outside of the namespace would have no number.
    const [program = '', ...args] = [...unshare, 'setsid', '-w', '/bin/sh', SCRIPT, this.#path, this.#layer ?? ''];
    const child = spawn(program, [...args, this.#programs, FETCHED, script, setup, this.#user], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH, HOME: '/root', LANG: 'C' },
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-KEPT_STDERR);
    });
    const kill = (): boolean => child.kill('SIGKILL');
    const limit = setTimeout(kill, limitMs);
    signal?.addEventListener('abort', kill);
    const [code] = (await once(child, 'exit')) as [number | null];
    clearTimeout(limit);
    signal?.removeEventListener('abort', kill);
    writeFileSync(join(this.#path, 'cgroup.kill'), '1');
    return { code, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#description, { force: true });
    if (this.#layer !== undefined) rmSync(this.#layer, { recursive: true, force: true });
    await removeCgroups(cgroupsOf(this.#name).filter(existsSync));
  }
}

/** Caches the answers of `holds`: a cgroup still exists when its first event comes, but perhaps not later. */
export function remembered(holds: (cgroup: bigint) => boolean): (cgroup: bigint) => boolean {
  const answers = new Map<bigint, boolean>();
  return (cgroup) => {
    const answer = answers.get(cgroup) ?? holds(cgroup);
    answers.set(cgroup, answer);
    return answer;
  };
}
