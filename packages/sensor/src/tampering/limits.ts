import { readFileSync } from 'node:fs';

/** Fields of /proc/PID/stat after the name: nice value, and scheduling policy. */
const NICE = 16;
const POLICY = 38;
/** Files of a cgroup that limit what its processes get. */
const CGROUP_FILES = ['cpu.max', 'cpu.weight', 'cpu.idle', 'cpuset.cpus', 'memory.high', 'memory.max', 'pids.max'];

/** Limits by name, as texts that are only compared. */
type Limits = ReadonlyMap<string, string>;

/** Limits by which another process can starve the agent: rlimits, priority, CPUs, and those of its cgroups. */
export class AgentLimits {
  readonly #cgroupRoot: string | null;
  #known: Limits;

  /** @param cgroupRoot mount point of the v2 hierarchy; null if there is none */
  constructor(cgroupRoot: string | null) {
    this.#cgroupRoot = cgroupRoot;
    this.#known = this.#read();
  }

  /** Returns the names of the limits that differ since the last call. */
  changed(): readonly string[] {
    const before = this.#known;
    this.#known = this.#read();
    return [...this.#known].filter(([name, value]) => (before.get(name) ?? value) !== value).map(([name]) => name);
  }

  #read(): Limits {
    const stat = textOf('/proc/self/stat');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return new Map([
      ['priority', `${fields[NICE]}/${fields[POLICY]}`],
      ...textOf('/proc/self/limits')
        .split('\n')
        .map((line): [string, string] => [line.slice(0, 26).trim(), line.slice(26)]),
      ['affinity', /^Cpus_allowed_list:\s*(.*)$/m.exec(textOf('/proc/self/status'))?.[1] ?? ''],
      ...this.#cgroupLimits(),
    ]);
  }

  #cgroupLimits(): [string, string][] {
    if (this.#cgroupRoot === null) return [];
    const path = /^0::(\/.*)$/m.exec(textOf('/proc/self/cgroup'))?.[1] ?? '/';
    const parts = path.split('/').filter(Boolean);
    const directories = parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
    return directories.flatMap((directory) =>
      CGROUP_FILES.map((file): [string, string] => [
        `${file} of ${directory}`,
        textOf(`${this.#cgroupRoot}${directory}/${file}`),
      ]),
    );
  }
}

/** Returns '' for a file that can't be read: a cgroup without this controller has no such file. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
