import { type ContainerFact, wallOffset } from '@ringfence/host-kit';
import type { CgroupCreation, RecordSource } from '@ringfence/sensor';
import { areRuntimesReadable } from '../runtimes/are-readable.ts';
import { EMPTY_DESCRIPTION, type HostRoots } from '../runtimes/description.ts';
import { type Match, matchRuntime } from '../runtimes/runtimes.ts';
import type { Cgroups } from './cgroups.ts';
import { ContainerCreations } from './container-creations.ts';
import type { ContainerFiles } from './container-files.ts';
import type { Isolation } from './isolation.ts';
import { findUnmanagedContainer } from './unmanaged.ts';

export interface ContainerDescriberDeps {
  readonly files: ContainerFiles;
  readonly roots: HostRoots;
  readonly creationOf: (id: bigint) => CgroupCreation | null;
  readonly cgroups: Pick<Cgroups, 'isOfUser'>;
  readonly isolation: Isolation;
  /** called once, when a container can't be looked up because the files of the runtimes can't be read */
  readonly onUnreadable: () => void;
}

/** systemd-nspawn keeps a process of the host beside the container's. */
const SUPERVISOR = /\/(?:systemd-nspawn@[^/]+\.service|machine-[^/]+\.scope)\/supervisor$/;

type CgroupFacts = Pick<ContainerFact, 'cgroupId' | 'path'>;

/** Finds the container to which a cgroup belongs, and describes it. */
export class ContainerDescriber {
  readonly #deps: ContainerDescriberDeps;
  readonly #creations: ContainerCreations;
  #hasWarned = false;

  constructor(deps: ContainerDescriberDeps) {
    this.#deps = deps;
    this.#creations = new ContainerCreations(deps.roots);
  }

  /** Called before each exec. */
  onExec(source: RecordSource, at: number, ktime: number): void {
    this.#creations.onExec(source, at, ktime);
    this.#deps.isolation.onExec(source, at);
  }

  /**
   * Returns null if the cgroup belongs to no container. Tries files that announce containers, then the forms of cgroup
   * paths that engines use, then containers that were started without an engine.
   * @param path of the cgroup, from the root of the hierarchy
   */
  describe(cgroupId: bigint, path: string): ContainerFact | null {
    const cgroup = { cgroupId, path: path.slice(0, 4096) };
    const listed = this.#deps.files.find(path);
    if (listed !== null) {
      const { cgroupPath: _, ...rest } = listed;
      return { ...cgroup, ...rest, described: true };
    }
    const match = matchRuntime(path);
    return match === null ? this.#describeUnmanaged(cgroup) : this.#describeManaged(cgroup, match);
  }

  /** Whether the path has the form of an engine's containers, and no file announces it. */
  isNamedLikeContainer(path: string): boolean {
    return this.#deps.files.find(path) === null && matchRuntime(path) !== null;
  }

  /** Whether processes of the host are in a cgroup whose path has the form of an engine's containers. */
  hasHostProcesses(cgroupId: bigint, path: string): boolean {
    if (!this.isNamedLikeContainer(path) || SUPERVISOR.test(path)) return false;
    const state = this.#deps.isolation.stateOf(cgroupId, path);
    return state === 'host' || state === 'mixed';
  }

  /** Whether a container counts as one only because its processes are isolated. */
  isUndescribed({ described, path }: ContainerFact): boolean {
    return !described || (this.isNamedLikeContainer(path) && matchRuntime(path)?.runtime.silent === true);
  }

  /** Whether no runtime of the host knows a container that the name of its cgroup claims. */
  isUnknown({ described, path }: ContainerFact): boolean {
    const match = described || this.#deps.files.find(path) !== null ? null : matchRuntime(path);
    if (match === null) return false;
    if (this.#deps.cgroups.isOfUser(match.cgroup)) return true;
    if (this.#creations.find(match.id) !== undefined) return false;
    const isReadable = areRuntimesReadable(this.#deps.roots);
    if (!isReadable && !this.#hasWarned) this.#deps.onUnreadable();
    this.#hasWarned ||= !isReadable;
    return isReadable;
  }

  /**
   * Any user can give a cgroup the name of a container. So its processes must be isolated unless a runtime describes
   * it; and a description is not enough if all its processes are the host's, or if a user could have made the cgroup,
   * because ids of containers are no secret.
   */
  #describeManaged(cgroup: CgroupFacts, { id, runtime, cgroup: outermost }: Match): ContainerFact | null {
    const isOfUser = this.#deps.cgroups.isOfUser(outermost);
    const description = isOfUser
      ? null
      : (runtime.describe(id, this.#deps.roots) ?? this.#creations.find(id)?.description ?? null);
    const state = this.#deps.isolation.stateOf(cgroup.cgroupId, cgroup.path);
    if (state === 'host' || (description === null && (state === 'mixed' || state === 'unknown'))) return null;
    const fact = { ...cgroup, id, runtime: runtime.name, ...(description ?? EMPTY_DESCRIPTION) };
    return this.#withStart({ ...fact, described: description !== null || (runtime.silent === true && !isOfUser) });
  }

  #describeUnmanaged(cgroup: CgroupFacts): ContainerFact | null {
    const container = findUnmanagedContainer(cgroup.path, this.#deps.roots) ?? this.#describeCreation(cgroup);
    return container === null ? null : this.#withStart({ described: true, ...cgroup, ...container });
  }

  /** Matches a cgroup that was created after a runtime was executed to create a container of that name. */
  #describeCreation({ cgroupId, path }: CgroupFacts): Omit<ContainerFact, 'cgroupId' | 'path'> | null {
    const cgroup = this.#deps.creationOf(cgroupId);
    if (cgroup === null || this.#deps.isolation.stateOf(cgroupId, path) === 'host') return null;
    const parts = path.split('/');
    for (const [index, part] of parts.entries()) {
      const creation = this.#creations.find(part);
      if (creation === undefined || creation.ktime > cgroup.ktime) continue;
      if (this.#deps.cgroups.isOfUser(parts.slice(0, index + 1).join('/'))) continue;
      const { runtime, description } = creation;
      return { ...(description ?? EMPTY_DESCRIPTION), id: part, runtime, described: description !== null };
    }
    return null;
  }

  /** If the runtime has not written the start time, uses the creation of the cgroup. */
  #withStart(fact: ContainerFact): ContainerFact {
    if (fact.startedAt > 0) return fact;
    const creation = this.#deps.creationOf(fact.cgroupId);
    return creation === null ? fact : { ...fact, startedAt: creation.ktime + wallOffset() };
  }
}
