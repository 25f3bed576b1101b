import type { ContainerFact, ContextSink, EnrichmentSource, Guard } from '@ringfence/host-kit';
import { bootMicros, wallOffset } from '@ringfence/host-kit';
import type { CgroupCreation, RecordSource } from '@ringfence/sensor';
import { Announced } from './announced.ts';
import { containerByHand } from './by-hand.ts';
import { Cgroups } from './cgroups.ts';
import { ContainerFiles } from './container-files.ts';
import { type HostPlaces, NOTHING } from './description.ts';
import { matchRuntime } from './runtimes.ts';

/** Plain cgroups remembered; beyond, they are looked up again. */
const PLAIN_MAX = 65_536;
/** A runtime may write what a container is after its first process has started: asked again on so many ticks. */
const RETRIES = 10;
/** Containers that a tick looks at, whether they are there still: so many, or all within ten ticks. Those that come and go fast are never more than what comes in these. */
const CHECKS_PER_TICK = 512;
const TICKS_PER_ROUND = 10;
/** A cgroup made so short a time ago may still turn out to be a container's: asked again on its events. */
const YOUNG_MICROS = 10_000_000;
/**
 * A question takes up to a millisecond. What is plain still becomes a container's before its program is executed there, so that only an exec asks at once; other
 * events do after so long.
 */
const PLAIN_AGAIN_MICROS = 100_000;
/** Cgroups that are asked about again at once. */
const PENDING_MAX = 1024;

interface Known {
  readonly fact: ContainerFact;
  retries: number;
}

interface Pending {
  /** µs, CLOCK_BOOTTIME: when it was first seen */
  readonly since: number;
  /** when it was asked about last */
  asked: number;
}

export interface ContainerSourceOptions {
  readonly fileDirectories: readonly string[];
  readonly onUnsafe: (directory: string) => void;
  /** where the runtimes' files are looked for. @default those of / */
  readonly places?: HostPlaces;
  /** what the sensor knows of a cgroup, which may be gone; null: nothing. @default nothing ever */
  readonly made?: (id: bigint) => CgroupCreation | null;
  /** told whether a cgroup is a container's, once that is sure */
  readonly judged?: (id: bigint, container: boolean) => void;
  /** runs what is done for an event or an exec, which nobody else guards. @default errors go on */
  readonly guarded?: Guard;
}

/**
 * Containers by cgroup id. A cgroup is looked up when an event from it is first seen, and what it is goes into the batch in front of that event: so a
 * container's first event is judged as the container's. What its runtime says too late for that is asked for with each event, until it is there; what may become a container yet is, with each exec.
 */
export class ContainerSource implements EnrichmentSource {
  readonly name = 'containers';
  readonly #cgroups = new Cgroups();
  readonly #files: ContainerFiles;
  readonly #places: HostPlaces;
  readonly #announced: Announced;
  readonly #made: (id: bigint) => CgroupCreation | null;
  readonly #judged: (id: bigint, container: boolean) => void;
  readonly #guarded: Guard;
  /** By id as a number: kernfs counts them up, 2^53 is out of reach. */
  readonly #plain = new Map<number, string>();
  readonly #containers = new Map<number, Known>();
  readonly #pending = new Map<number, Pending>();
  #sink: ContextSink | undefined;
  #lastId = -1;

  constructor(options: ContainerSourceOptions) {
    this.#files = new ContainerFiles(options.fileDirectories, options.onUnsafe);
    this.#places = options.places ?? { root: '/', dockerRoots: [] };
    this.#announced = new Announced(this.#places);
    this.#made = options.made ?? (() => null);
    this.#judged = options.judged ?? (() => undefined);
    this.#guarded = options.guarded ?? ((run) => run());
  }

  /** Containers known and alive. */
  get count(): number {
    return this.#containers.size;
  }

  /** Of a cgroup that was seen, from the hierarchy's root; empty: it is gone. */
  pathOf(cgroup: bigint): string {
    const id = Number(cgroup);
    return this.#containers.get(id)?.fact.path ?? this.#plain.get(id) ?? '';
  }

  start(sink: ContextSink): void {
    this.#sink = sink;
    this.#files.refresh();
    for (const { fact } of this.#containers.values()) sink.container(fact);
  }

  /**
   * Called for each event, with the halves of its cgroup id and its time (µs, CLOCK_BOOTTIME). `hurry`: what is plain may have become a container's just now,
   * as before an exec, and is asked about at once.
   */
  seen(low: number, high: number, ktime: number, hurry: boolean): void {
    const id = high * 4294967296 + low;
    if (id === this.#lastId) return;
    const known = this.#plain.has(id) || this.#containers.has(id);
    if (!known || this.#pending.has(id)) this.#look(id, known, ktime, hurry);
    this.#lastId = this.#pending.has(id) ? -1 : id;
  }

  #look(id: number, known: boolean, ktime: number, hurry: boolean): void {
    this.#guarded(() => (known ? this.#ask(id, ktime, hurry) : this.#meet(id)));
  }

  /** Called for each exec: a runtime may be about to make a container. */
  executed(source: RecordSource, at: number, ktime: number): void {
    this.#guarded(() => this.#announced.executed(source, at, ktime));
  }

  #meet(id: number): void {
    const now = bootMicros();
    const made = id === 0 ? null : this.#made(BigInt(id));
    const path = id === 0 ? null : (this.#cgroups.pathOf(BigInt(id)) ?? made?.path);
    this.#files.refresh();
    if (this.#plain.size >= PLAIN_MAX) this.#plain.clear();
    this.#plain.set(id, path ?? '');
    this.#judge(id, path ?? '');
    if (path) this.#await(id, made?.ktime, now);
    this.#tellPlain(id);
  }

  /** One that may still become a container's is not told. */
  #tellPlain(id: number): void {
    if (!this.#pending.has(id) && this.#plain.get(id)) this.#judged(BigInt(id), false);
  }

  /** A container that is not described yet, or a cgroup that is so young that it may become a container's: asked again. */
  #await(id: number, madeAt: number | undefined, now: number): void {
    const known = this.#containers.get(id);
    const young = madeAt !== undefined && now - madeAt < YOUNG_MICROS;
    if (known === undefined ? !young : known.fact.described) return;
    if (this.#pending.size < PENDING_MAX) this.#pending.set(id, { since: now, asked: now });
  }

  /** A runtime writes down what a container is before it lets its program run: so an event from before the last question needs no other. */
  #ask(id: number, ktime: number, hurry: boolean): void {
    const pending = this.#pending.get(id) as Pending;
    const known = this.#containers.get(id);
    const atOnce = hurry || known !== undefined;
    if (ktime <= pending.asked + (atOnce ? 0 : PLAIN_AGAIN_MICROS)) return;
    pending.asked = bootMicros();
    if (pending.asked - pending.since > YOUNG_MICROS) this.#pending.delete(id);
    if (known === undefined) this.#judge(id, this.#plain.get(id) ?? '');
    else this.#update(id, known);
    this.#tellPlain(id);
  }

  #judge(id: number, path: string): void {
    const fact = path === '' ? null : this.#describe(id, path);
    if (fact === null) return;
    this.#plain.delete(id);
    this.#keep(id, fact, RETRIES);
    this.#sink?.container(fact);
  }

  #keep(id: number, fact: ContainerFact, retries: number): void {
    this.#judged(BigInt(id), true);
    this.#containers.set(id, { fact, retries: fact.described ? 0 : retries });
    if (fact.described) this.#pending.delete(id);
  }

  #describe(id: number, path: string): ContainerFact | null {
    const base = { cgroupId: BigInt(id), path: path.slice(0, 4096) };
    const listed = this.#files.find(path);
    if (listed !== null) {
      const { cgroupPath: _, ...rest } = listed;
      return { ...base, ...rest, described: true };
    }
    const match = matchRuntime(path);
    if (match === null) return this.#describeByHand(base);
    const described =
      match.runtime.describe(match.id, this.#places) ?? this.#announced.find(match.id)?.description ?? null;
    const fact = { ...base, id: match.id, runtime: match.runtime.name, ...(described ?? NOTHING) };
    return this.#withStart({ ...fact, described: described !== null || match.runtime.silent === true });
  }

  #describeByHand(base: { cgroupId: bigint; path: string }): ContainerFact | null {
    const found = containerByHand(base.path, this.#places) ?? this.#announcedIn(base);
    return found === null ? null : this.#withStart({ described: true, ...base, ...found });
  }

  /** The cgroup was made after a runtime had been told to make a container of that name. */
  #announcedIn({
    cgroupId,
    path,
  }: {
    cgroupId: bigint;
    path: string;
  }): Omit<ContainerFact, 'cgroupId' | 'path'> | null {
    const made = this.#made(cgroupId);
    if (made === null) return null;
    for (const part of path.split('/')) {
      const announced = this.#announced.find(part);
      if (announced === undefined || announced.ktime > made.ktime) continue;
      const { runtime, description } = announced;
      return { ...(description ?? NOTHING), id: part, runtime, described: description !== null };
    }
    return null;
  }

  #withStart(fact: ContainerFact): ContainerFact {
    if (fact.startedAt > 0) return fact;
    const made = this.#made(fact.cgroupId);
    return made === null ? fact : { ...fact, startedAt: made.ktime + wallOffset() };
  }

  tick(): void {
    this.#lastId = -1;
    if (this.#files.refresh()) this.#judgeAgain();
    this.#forgetOld();
    const { size } = this.#containers;
    let left = Math.min(size, Math.max(CHECKS_PER_TICK, Math.ceil(size / TICKS_PER_ROUND)));
    for (const [id, known] of this.#containers) {
      if (left-- === 0) break;
      this.#check(id, known);
    }
  }

  #forgetOld(): void {
    const now = bootMicros();
    for (const [id, { since }] of this.#pending)
      if (now - since > YOUNG_MICROS) {
        this.#pending.delete(id);
        this.#tellPlain(id);
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
      this.#pending.delete(id);
      this.#sink?.container({ ...known.fact, ...NOTHING, id: '' });
      return;
    }
    this.#containers.set(id, known);
    if (known.retries === 0) return;
    known.retries--;
    this.#update(id, known);
  }

  #update(id: number, known: Known): void {
    const fact = this.#describe(id, known.fact.path);
    if (fact === null || textOf(fact) === textOf(known.fact)) return;
    // What the runtime has taken away since, because the container is ending, stays true.
    if (known.fact.described && !fact.described) return;
    this.#keep(id, fact, known.retries);
    this.#sink?.container(fact);
  }

  close(): void {
    this.#sink = undefined;
    this.#cgroups[Symbol.dispose]();
  }
}

const textOf = (fact: ContainerFact): string =>
  JSON.stringify(fact, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
