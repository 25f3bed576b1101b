import { Cgroups } from './cgroups.ts';
import { ContainerFiles } from './container-files.ts';
import { type HostPlaces, matchRuntime } from './runtimes.ts';
import type { ContainerFact, ContextSink, EnrichmentSource } from './source.ts';

/** Plain cgroups remembered; beyond, they are looked up again. */
const PLAIN_MAX = 65_536;
/** A runtime may write what a container is after its first process has started: asked again on so many ticks. */
const RETRIES = 10;
const CHECKS_PER_TICK = 512;

interface Known {
  readonly fact: ContainerFact;
  retries: number;
}

export interface ContainerSourceOptions {
  readonly fileDirectories: readonly string[];
  readonly onUnsafe: (directory: string) => void;
  /** where the runtimes' files are looked for. @default those of / */
  readonly places?: HostPlaces;
}

/**
 * Containers by cgroup id. A cgroup is looked up when an event from it is first seen, and what it is goes into the batch in front of that event: so a
 * container's first event is judged as the container's.
 */
export class ContainerSource implements EnrichmentSource {
  readonly name = 'containers';
  readonly #cgroups = new Cgroups();
  readonly #files: ContainerFiles;
  readonly #places: HostPlaces;
  /** By id as a number: kernfs counts them up, 2^53 is out of reach. */
  readonly #plain = new Map<number, string>();
  readonly #containers = new Map<number, Known>();
  #sink: ContextSink | undefined;
  #lastId = -1;

  constructor(options: ContainerSourceOptions) {
    this.#files = new ContainerFiles(options.fileDirectories, options.onUnsafe);
    this.#places = options.places ?? { root: '/', dockerRoots: [] };
  }

  /** Containers known and alive. */
  get count(): number {
    return this.#containers.size;
  }

  start(sink: ContextSink): void {
    this.#sink = sink;
    this.#files.refresh();
    for (const { fact } of this.#containers.values()) sink.container(fact);
  }

  /** Called for each event, with the halves of its cgroup id. */
  seen(low: number, high: number): void {
    const id = high * 4294967296 + low;
    if (id === this.#lastId) return;
    if (!this.#plain.has(id) && !this.#containers.has(id)) this.#meet(id);
    this.#lastId = id;
  }

  #meet(id: number): void {
    const path = id === 0 ? null : this.#cgroups.pathOf(BigInt(id));
    this.#files.refresh();
    if (this.#plain.size >= PLAIN_MAX) this.#plain.clear();
    this.#judge(id, path ?? '');
  }

  #judge(id: number, path: string): void {
    const fact = path === '' ? null : this.#describe(id, path);
    if (fact === null) {
      this.#plain.set(id, path);
      return;
    }
    this.#plain.delete(id);
    this.#containers.set(id, { fact, retries: fact.image === '' ? RETRIES : 0 });
    this.#sink?.container(fact);
  }

  #describe(id: number, path: string): ContainerFact | null {
    const base = { cgroupId: BigInt(id), path: path.slice(0, 4096) };
    const listed = this.#files.find(path);
    if (listed !== null) {
      const { cgroupPath: _, ...rest } = listed;
      return { ...base, ...rest };
    }
    const match = matchRuntime(path);
    if (match === null) return null;
    const described = match.runtime.describe(match.id, this.#places);
    const unknown = { name: '', image: '', privileged: null, labels: {} };
    return { ...base, id: match.id, runtime: match.runtime.name, ...(described ?? unknown) };
  }

  tick(): void {
    this.#lastId = -1;
    if (this.#files.refresh()) this.#judgeAgain();
    let left = Math.min(CHECKS_PER_TICK, this.#containers.size);
    for (const [id, known] of this.#containers) {
      if (left-- === 0) break;
      this.#check(id, known);
    }
  }

  /** The announced containers have changed: what was plain may be one now, what was one may be another. */
  #judgeAgain(): void {
    for (const [id, path] of [...this.#plain])
      if (path !== '' && this.#files.find(path) !== null) this.#judge(id, path);
    for (const [id, known] of this.#containers) this.#update(id, known);
  }

  /** Checked ones go to the end of the map, so that all get their turn. */
  #check(id: number, known: Known): void {
    this.#containers.delete(id);
    if (!this.#cgroups.exists(known.fact.path, known.fact.cgroupId)) {
      this.#sink?.container({ ...known.fact, id: '', name: '', image: '', labels: {} });
      return;
    }
    this.#containers.set(id, known);
    if (known.retries === 0) return;
    known.retries--;
    this.#update(id, known);
  }

  #update(id: number, known: Known): void {
    const fact = this.#describe(id, known.fact.path);
    if (fact === null || JSON.stringify({ ...fact, cgroupId: 0 }) === JSON.stringify({ ...known.fact, cgroupId: 0 }))
      return;
    this.#containers.set(id, { fact, retries: fact.image === '' ? known.retries : 0 });
    this.#sink?.container(fact);
  }

  close(): void {
    this.#sink = undefined;
    this.#cgroups[Symbol.dispose]();
  }
}
