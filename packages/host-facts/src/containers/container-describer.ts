import { type ContainerFact, wallOffset } from '@ringfence/host-kit';
import type { CgroupCreation, RecordSource } from '@ringfence/sensor';
import { EMPTY_DESCRIPTION, type HostRoots } from '../runtimes/description.ts';
import { matchRuntime } from '../runtimes/runtimes.ts';
import { ContainerCreations } from './container-creations.ts';
import type { ContainerFiles } from './container-files.ts';
import { findUnmanagedContainer } from './unmanaged.ts';

export interface ContainerDescriberDeps {
  readonly files: ContainerFiles;
  readonly roots: HostRoots;
  readonly creationOf: (id: bigint) => CgroupCreation | null;
}

type CgroupFacts = Pick<ContainerFact, 'cgroupId' | 'path'>;

/** Finds the container to which a cgroup belongs, and describes it. */
export class ContainerDescriber {
  readonly #deps: ContainerDescriberDeps;
  readonly #creations: ContainerCreations;

  constructor(deps: ContainerDescriberDeps) {
    this.#deps = deps;
    this.#creations = new ContainerCreations(deps.roots);
  }

  /** Called before each exec. */
  onExec(source: RecordSource, at: number, ktime: number): void {
    this.#creations.onExec(source, at, ktime);
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
    if (match === null) return this.#describeUnmanaged(cgroup);
    const description =
      match.runtime.describe(match.id, this.#deps.roots) ?? this.#creations.find(match.id)?.description ?? null;
    const fact = { ...cgroup, id: match.id, runtime: match.runtime.name, ...(description ?? EMPTY_DESCRIPTION) };
    return this.#withStart({ ...fact, described: description !== null || match.runtime.silent === true });
  }

  #describeUnmanaged(cgroup: CgroupFacts): ContainerFact | null {
    const container = findUnmanagedContainer(cgroup.path, this.#deps.roots) ?? this.#describeCreation(cgroup);
    return container === null ? null : this.#withStart({ described: true, ...cgroup, ...container });
  }

  /** Matches a cgroup that was created after a runtime was executed to create a container of that name. */
  #describeCreation({ cgroupId, path }: CgroupFacts): Omit<ContainerFact, 'cgroupId' | 'path'> | null {
    const cgroup = this.#deps.creationOf(cgroupId);
    if (cgroup === null) return null;
    for (const part of path.split('/')) {
      const creation = this.#creations.find(part);
      if (creation === undefined || creation.ktime > cgroup.ktime) continue;
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
