import { readFileSync, statSync } from 'node:fs';
import { ifReadable } from '@ringfence/host-kit';
import { namespacesAt, type ProcessNamespaces, type RecordSource } from '@ringfence/sensor';
import { records } from '@ringfence/wire';

/** Processes of a cgroup that are looked at. */
const PROCESSES_MAX = 256;
/** Cgroups in which an exec in other namespaces was seen. */
const EXECS_MAX = 4096;

/**
 * The namespaces of a cgroup's processes, compared with those of the host's pid 1:
 * - `isolated`: each process has another mount, pid or user namespace
 * - `host`: each process has those of pid 1
 * - `mixed`: some have
 * - `unknown`: there is no process, or none can be read
 * - `unverified`: the namespaces of the host can't be read
 */
export type IsolationState = 'isolated' | 'host' | 'mixed' | 'unknown' | 'unverified';

/** Returns null if there is no such process, or if it can't be read. */
export type NamespacesOf = (pid: number) => ProcessNamespaces | null;

/** Tells cgroups of isolated processes from cgroups that are only named like those of a container. */
export class Isolation {
  readonly #mount: string | null;
  readonly #namespacesOf: NamespacesOf;
  readonly #isolatedExecs = new Set<number>();
  #host: ProcessNamespaces | null = null;

  /** @param mount mount point of the v2 hierarchy */
  constructor(mount: string | null, namespacesOf: NamespacesOf = namespacesInProc) {
    this.#mount = mount;
    this.#namespacesOf = namespacesOf;
  }

  /** Called before each exec: its process may have ended when the cgroup is looked up. */
  onExec({ view, bytes }: RecordSource, at: number): void {
    const host = this.#ofHost();
    if (host === null || isEqual(namespacesAt(view, at), host)) return;
    const id = Number(bytes.readBigUInt64LE(at + records.HEADER_CGROUP));
    if (this.#isolatedExecs.size >= EXECS_MAX) this.#isolatedExecs.clear();
    this.#isolatedExecs.add(id);
  }

  /** @param path of the cgroup, from the root of the hierarchy */
  stateOf(cgroupId: bigint, path: string): IsolationState {
    const host = this.#ofHost();
    if (host === null) return 'unverified';
    const processes = this.#processesIn(path).flatMap((pid) => this.#namespacesOf(pid) ?? []);
    if (processes.length === 0) return this.#isolatedExecs.has(Number(cgroupId)) ? 'isolated' : 'unknown';
    const ofHost = processes.filter((namespaces) => isEqual(namespaces, host)).length;
    return ofHost === 0 ? 'isolated' : ofHost === processes.length ? 'host' : 'mixed';
  }

  /** A process that this pid namespace does not show has the number 0. */
  #processesIn(path: string): number[] {
    const pids = linesOf(`${this.#mount}${path}/cgroup.procs`).map(Number);
    return pids.filter((pid) => pid > 0).slice(0, PROCESSES_MAX);
  }

  /** Where pid 1 can't be read, the kernel's first thread has the same namespaces. */
  #ofHost(): ProcessNamespaces | null {
    this.#host ??= this.#namespacesOf(1) ?? (isKernelThread(2) ? this.#namespacesOf(2) : null);
    return this.#host;
  }
}

const isEqual = (a: ProcessNamespaces, b: ProcessNamespaces): boolean =>
  a.mount === b.mount && a.pid === b.pid && a.user === b.user;

/** Returns no lines of a removed cgroup, or of one whose threads are spread over several cgroups. */
function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'latin1').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return [];
  }
}

/** Only the kernel's first thread and pid 1 have no parent. */
export function isKernelThread(pid: number): boolean {
  const stat = ifReadable(() => readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? '';
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === '0';
}

/** Needs CAP_SYS_PTRACE for processes of other users. */
function namespacesInProc(pid: number): ProcessNamespaces | null {
  const inode = (name: string): number => statSync(`/proc/${pid}/ns/${name}`).ino;
  return ifReadable(() => ({ mount: inode('mnt'), pid: inode('pid'), user: inode('user') }));
}
