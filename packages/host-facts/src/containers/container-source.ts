import {
  bootMicros,
  type ContainerFact,
  type ContextSink,
  type EnrichmentSource,
  type Guard,
} from '@ringfence/host-kit';
import type { CgroupCreation, RecordSource } from '@ringfence/sensor';
import { EMPTY_DESCRIPTION, type HostRoots } from '../runtimes/description.ts';
import { Cgroups } from './cgroups.ts';
import { ContainerDescriber } from './container-describer.ts';
import { ContainerFiles } from './container-files.ts';
import { findingOf } from './findings.ts';
import { Isolation, type NamespacesOf } from './isolation.ts';

/** Remembered cgroups that are not a container's. Beyond this number all are looked up again. */
const NON_CONTAINERS_MAX = 65_536;
/** A runtime may write the description after the first process has started: read again on this many ticks. */
const RETRIES = 10;
/**
 * Containers whose existence a tick checks: at least this many, and as many as it takes to check all within ten ticks.
 * So at most the containers of the last ten ticks are kept in addition to the existing ones.
 */
const CHECKS_PER_TICK = 512;
const TICKS_PER_ROUND = 10;
/** A cgroup that is younger than this may still become a container's, so its events cause further lookups. */
const YOUNG_MICROS = 10_000_000;
/**
 * Interval between two lookups of a cgroup that is not a container's yet, because a lookup takes up to a millisecond.
 * An exec looks it up at once: the cgroup becomes the container's before the runtime executes the container's program.
 */
const LOOKUP_INTERVAL_MICROS = 100_000;
/** Cgroups that can be looked up again at the same time. */
const PENDING_MAX = 1024;

/** Consecutive checks that find the host's processes in a container that no runtime describes. */
const CHECKS_TO_FORGET = 2;

interface KnownContainer {
  readonly fact: ContainerFact;
  retries: number;
  /** checks in a row that found it to be no container */
  doubts: number;
}

/** A cgroup that is looked up again. Times are µs, CLOCK_BOOTTIME. */
interface PendingCgroup {
  readonly firstSeen: number;
  lastLookup: number;
}

export interface ContainerSourceOptions {
  /** directories of files that announce containers */
  readonly fileDirectories: readonly string[];
  /** called for a directory that is not read because other users can write to it */
  readonly onUnsafe: (directory: string) => void;
  /** where to look for the runtimes' files. @default / */
  readonly roots?: HostRoots;
  /** called once, when a container can't be looked up because the files of the runtimes can't be read */
  readonly onUnreadable: () => void;
  /** returns what the sensor knows about a cgroup, even if it is gone. @default () => null */
  readonly creationOf?: (id: bigint) => CgroupCreation | null;
  /** returns the namespaces of a process. @default those in /proc */
  readonly namespacesOf?: NamespacesOf;
  /** called when it is certain whether a cgroup belongs to a container */
  readonly onScope?: (id: bigint, isContainer: boolean) => void;
  /** runs the work for events and execs, whose callers don't handle errors. @default throws them */
  readonly guard?: Guard;
}

/**
 * Containers by cgroup id. A cgroup is looked up when its first event is read, and the container's description goes
 * into the batch before that event. If the description is not complete by then, further events look it up again; a
 * cgroup that may still become a container's is looked up by its execs.
 */
export class ContainerSource implements EnrichmentSource {
  readonly name = 'containers';
  readonly #cgroups = new Cgroups();
  readonly #files: ContainerFiles;
  readonly #describer: ContainerDescriber;
  readonly #creationOf: (id: bigint) => CgroupCreation | null;
  readonly #onScope: (id: bigint, isContainer: boolean) => void;
  readonly #guard: Guard;
  /** Paths by id. Ids are exact as numbers: kernfs counts them up and never reaches 2^53. */
  readonly #nonContainers = new Map<number, string>();
  readonly #containers = new Map<number, KnownContainer>();
  readonly #pending = new Map<number, PendingCgroup>();
  /** Cgroups named like a container in which processes of the host were seen, until that is reported. */
  readonly #forged = new Set<number>();
  #sink: ContextSink | undefined;
  /** Fast path: the cgroup of the last event, unless it is pending. */
  #lastId = -1;

  constructor(options: ContainerSourceOptions) {
    const { roots = { root: '/', dockerRoots: [] }, creationOf = () => null, onUnreadable } = options;
    this.#files = new ContainerFiles(options.fileDirectories, options.onUnsafe);
    const isolation = new Isolation(this.#cgroups.mount, options.namespacesOf);
    const deps = { files: this.#files, cgroups: this.#cgroups, roots, creationOf, isolation, onUnreadable };
    this.#describer = new ContainerDescriber(deps);
    this.#creationOf = creationOf;
    this.#onScope = options.onScope ?? (() => undefined);
    this.#guard = options.guard ?? ((run) => run());
  }

  /** Number of known, existing containers. */
  get count(): number {
    return this.#containers.size;
  }

  /** Returns the path of a seen cgroup from the root of the hierarchy, or '' if it is gone. */
  pathOf(cgroup: bigint): string {
    const id = Number(cgroup);
    return this.#containers.get(id)?.fact.path ?? this.#nonContainers.get(id) ?? '';
  }

  start(sink: ContextSink): void {
    this.#sink = sink;
    this.#files.refresh();
    for (const { fact } of this.#containers.values()) sink.container(fact);
  }

  /**
   * Called before each event, with the halves of its cgroup id and its time (µs, CLOCK_BOOTTIME).
   * @param isExec looks up a pending cgroup without waiting for the interval
   */
  onEvent(low: number, high: number, ktime: number, isExec: boolean): void {
    const id = high * 4294967296 + low;
    if (id === this.#lastId) return;
    const known = this.#nonContainers.has(id) || this.#containers.has(id);
    if (!known) this.#guard(() => this.#addCgroup(id));
    else if (this.#pending.has(id)) this.#guard(() => this.#lookUpPending(id, ktime, isExec));
    this.#lastId = this.#pending.has(id) ? -1 : id;
  }

  /** Called before each exec: it may be a runtime that is about to create a container. */
  onExec(source: RecordSource, at: number, ktime: number): void {
    this.#guard(() => this.#describer.onExec(source, at, ktime));
  }

  #addCgroup(id: number): void {
    const now = bootMicros();
    const creation = id === 0 ? null : this.#creationOf(BigInt(id));
    const path = id === 0 ? null : (this.#cgroups.pathOf(BigInt(id)) ?? creation?.path);
    this.#files.refresh();
    if (this.#nonContainers.size >= NON_CONTAINERS_MAX) this.#nonContainers.clear();
    this.#nonContainers.set(id, path ?? '');
    this.#describe(id, path ?? '');
    if (path) this.#addPending(id, creation?.ktime, path, now);
    this.#reportNonContainer(id);
  }

  /** Does not report a cgroup that may still become a container's. */
  #reportNonContainer(id: number): void {
    const path = this.#nonContainers.get(id);
    if (this.#pending.has(id) || !path) return;
    this.#onScope(BigInt(id), false);
    if (this.#forged.delete(id)) this.#sink?.finding(findingOf('container-name', path));
  }

  /** Looks up again containers without a description, and cgroups that may become a container's. */
  #addPending(id: number, createdAt: number | undefined, path: string, now: number): void {
    const container = this.#containers.get(id);
    const isYoung = createdAt !== undefined && now - createdAt < YOUNG_MICROS;
    const mayBecome = isYoung || (createdAt === undefined && this.#describer.isNamedLikeContainer(path));
    if (container === undefined ? !mayBecome : container.fact.described) return;
    if (this.#pending.size < PENDING_MAX) this.#pending.set(id, { firstSeen: now, lastLookup: now });
  }

  /**
   * A runtime writes the description before it starts the container's program. So an event from before the last lookup
   * needs no other one.
   */
  #lookUpPending(id: number, ktime: number, isExec: boolean): void {
    const pending = this.#pending.get(id) as PendingCgroup;
    const container = this.#containers.get(id);
    const isUrgent = isExec || container !== undefined;
    if (ktime <= pending.lastLookup + (isUrgent ? 0 : LOOKUP_INTERVAL_MICROS)) return;
    pending.lastLookup = bootMicros();
    if (pending.lastLookup - pending.firstSeen > YOUNG_MICROS) this.#pending.delete(id);
    if (container === undefined) this.#describe(id, this.#nonContainers.get(id) ?? '');
    else this.#update(id, container);
    this.#reportNonContainer(id);
  }

  #describe(id: number, path: string): void {
    const fact = path === '' ? null : this.#describer.describe(BigInt(id), path);
    if (fact === null) {
      if (path !== '' && this.#describer.hasHostProcesses(BigInt(id), path)) this.#forged.add(id);
      return;
    }
    this.#nonContainers.delete(id);
    this.#forged.delete(id);
    this.#store(id, fact, RETRIES);
    this.#sink?.container(fact);
  }

  #store(id: number, fact: ContainerFact, retries: number): void {
    this.#onScope(BigInt(id), true);
    this.#containers.set(id, { fact, retries: fact.described ? 0 : retries, doubts: 0 });
    if (fact.described) this.#pending.delete(id);
  }

  tick(): void {
    this.#lastId = -1;
    if (this.#files.refresh()) this.#describeAgain();
    this.#expirePending();
    const { size } = this.#containers;
    let remaining = Math.min(size, Math.max(CHECKS_PER_TICK, Math.ceil(size / TICKS_PER_ROUND)));
    for (const [id, container] of this.#containers) {
      if (remaining-- === 0) break;
      this.#check(id, container);
    }
  }

  #expirePending(): void {
    const now = bootMicros();
    for (const [id, { firstSeen }] of this.#pending)
      if (now - firstSeen > YOUNG_MICROS) {
        this.#pending.delete(id);
        this.#reportNonContainer(id);
      }
  }

  /** The files have changed: they may announce other cgroups, or other properties of containers. */
  #describeAgain(): void {
    for (const [id, path] of [...this.#nonContainers])
      if (path !== '' && this.#files.find(path) !== null) this.#describe(id, path);
    for (const [id, container] of this.#containers) this.#update(id, container);
  }

  /** Moves a checked container to the end of the map, so that all of them are checked in turn. */
  #check(id: number, container: KnownContainer): void {
    this.#containers.delete(id);
    if (!this.#cgroups.exists(container.fact.path, container.fact.cgroupId)) {
      this.#pending.delete(id);
      if (container.retries > 0) this.#reportUnknown(container.fact);
      this.#sink?.container({ ...container.fact, ...EMPTY_DESCRIPTION, id: '' });
      return;
    }
    this.#containers.set(id, container);
    if (this.#isForgotten(id, container) || container.retries === 0) return;
    container.retries--;
    this.#update(id, container);
    const { fact, retries } = this.#containers.get(id) as KnownContainer;
    if (retries === 0) this.#reportUnknown(fact);
  }

  /** Called once for each container: when it is not looked up again, or is gone before that. */
  #reportUnknown(fact: ContainerFact): void {
    if (this.#describer.isUnknown(fact)) this.#sink?.finding(findingOf('container-unknown', fact.path));
  }

  /**
   * A process of the host may have entered a cgroup that counts as a container only because its processes were
   * isolated. A runtime's own process may be there for a moment too.
   */
  #isForgotten(id: number, container: KnownContainer): boolean {
    const { fact } = container;
    if (!this.#describer.isUndescribed(fact)) return false;
    container.doubts = this.#describer.hasHostProcesses(fact.cgroupId, fact.path) ? container.doubts + 1 : 0;
    if (container.doubts < CHECKS_TO_FORGET) return false;
    this.#forged.add(id);
    this.#containers.delete(id);
    this.#pending.delete(id);
    this.#nonContainers.set(id, fact.path);
    this.#sink?.container({ ...fact, ...EMPTY_DESCRIPTION, id: '' });
    this.#reportNonContainer(id);
    return true;
  }

  #update(id: number, container: KnownContainer): void {
    const fact = this.#describer.describe(BigInt(id), container.fact.path);
    if (fact === null || textOf(fact) === textOf(container.fact)) return;
    // A runtime removes its files while the container ends: keep the description.
    if (container.fact.described && !fact.described) return;
    this.#store(id, fact, container.retries);
    this.#sink?.container(fact);
  }

  close(): void {
    this.#sink = undefined;
    this.#cgroups[Symbol.dispose]();
  }
}

const textOf = (fact: ContainerFact): string =>
  JSON.stringify(fact, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
