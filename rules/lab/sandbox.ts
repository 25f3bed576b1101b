import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroupRoot } from '@ringfence/simulator/demo';
import { cgroupsOf, removeCgroups } from '../../test/deploy/lib/engine.ts';
import { ENGINE_DIRECTORY } from '../../test/deploy/lib/engine-files.ts';

const SCRIPT = join(import.meta.dirname, 'sandbox.sh');
/** Functions that scripts may use: theirs as /opt/lab/lib.sh when it is put into `programsDir`. */
export const LIBRARY: string = join(import.meta.dirname, 'lib.sh');
const UNSHARE = [
  ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--net', '--ipc', '--uts'],
  ...['--propagation', 'private'],
];
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface SandboxOptions {
  /** of the cgroup; also the container's */
  readonly name: string;
  /** the image of the container that it is; undefined: processes of the host */
  readonly image?: string | undefined;
  /** where the collector reads about containers it can't ask a runtime for */
  readonly containersDir: string;
  /** what is found at /opt/lab */
  readonly programsDir: string;
  /** the machine is a guest that ends with what is played there: nothing is kept apart. @default false */
  readonly inGuest?: boolean;
}

/** A cgroup of its own, in which scripts play as processes of a host or of a container; see sandbox.sh. */
export class Sandbox implements AsyncDisposable {
  /** as events name it: the number of its directory */
  readonly cgroup: bigint;
  readonly #name: string;
  readonly #path: string;
  readonly #description: string;
  /** undefined: in a guest */
  readonly #layer: string | undefined;
  readonly #programs: string;

  constructor({ name, image, containersDir, programsDir, inGuest = false }: SandboxOptions) {
    this.#layer = inGuest ? undefined : mkdtempSync(join(tmpdir(), 'ringfence-lab-'));
    this.#name = name;
    this.#path = join(cgroupRoot(), name);
    this.#description = join(containersDir, `${name}.json`);
    this.#programs = programsDir;
    mkdirSync(this.#path);
    this.cgroup = statSync(this.#path, { bigint: true }).ino;
    if (image === undefined) return;
    const known = {
      cgroupPath: `/${name}`,
      id: name,
      name: 'web-1',
      image,
      runtime: 'lab',
      privileged: false,
      labels: {},
    };
    writeFileSync(this.#description, JSON.stringify(known));
  }

  /** Whether the cgroup of this number is the sandbox's, or lies below it. */
  holds(cgroup: bigint): boolean {
    if (cgroup === this.cgroup) return true;
    if (!existsSync(this.#path)) return false;
    return readdirSync(this.#path, { withFileTypes: true, recursive: true }).some(
      (entry) =>
        entry.isDirectory() &&
        statSync(join(entry.parentPath, entry.name), { bigint: true, throwIfNoEntry: false })?.ino === cgroup,
    );
  }

  /** Runs the script to its end (after `setup`, of which nobody hears), or for so long, or until `signal`, and then ends whatever is left of it. Resolves to its exit code and what it said on stderr. */
  async play(
    script: string,
    limitMs: number,
    setup = '',
    signal?: AbortSignal,
  ): Promise<{ readonly code: number | null; readonly said: string }> {
    const unshare = this.#layer === undefined ? [] : UNSHARE;
    const [program = '', ...args] = [...unshare, '/bin/sh', SCRIPT, this.#path, this.#layer ?? ''];
    const child = spawn(program, [...args, this.#programs, ENGINE_DIRECTORY, script, setup], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH, HOME: '/root', LANG: 'C' },
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-2000);
    });
    const kill = (): boolean => child.kill('SIGKILL');
    const limit = setTimeout(kill, limitMs);
    signal?.addEventListener('abort', kill);
    const [code] = (await once(child, 'exit')) as [number | null];
    clearTimeout(limit);
    signal?.removeEventListener('abort', kill);
    writeFileSync(join(this.#path, 'cgroup.kill'), '1');
    return { code, said };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#description, { force: true });
    if (this.#layer !== undefined) rmSync(this.#layer, { recursive: true, force: true });
    await removeCgroups(cgroupsOf(this.#name).filter(existsSync));
  }
}

/** Asks `holds` about each cgroup once: when its first event is here it is still there. */
export function remembered(holds: (cgroup: bigint) => boolean): (cgroup: bigint) => boolean {
  const answers = new Map<bigint, boolean>();
  return (cgroup) => {
    const answer = answers.get(cgroup) ?? holds(cgroup);
    answers.set(cgroup, answer);
    return answer;
  };
}
