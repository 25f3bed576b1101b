import type { Container } from '@ringfence/wire';

export interface KnownContainer {
  readonly value: Container;
  /** tick at which it was told gone; -1: it is there */
  readonly goneTick: number;
  /** the output batch in which it has the place `slot` */
  stamp: number;
  slot: number;
}

const MAX_USERS = 65_536;
const MAX_CONTAINERS = 16_384;

/** Users and containers of one boot. */
export class Contexts {
  readonly users: Map<number, string> = new Map<number, string>();
  /** by cgroup id, hex */
  readonly containers: Map<string, KnownContainer> = new Map<string, KnownContainer>();
  /** changes with every change of `containers` */
  epoch = 0;
  /** for lack of room */
  refused = 0;
  readonly #dirty = new Set<string>();
  readonly #keptTicks: number;

  constructor(keptTicks: number) {
    this.#keptTicks = keptTicks;
  }

  /** An empty name: the user is gone. */
  setUser(uid: number, name: string): void {
    if (this.users.get(uid) === name) return;
    this.#put(this.users, uid, name === '' ? undefined : name, MAX_USERS, 'u');
  }

  setContainer(cgroup: string, value: Container, tick: number): void {
    const before = this.containers.get(cgroup);
    const gone = value.id === '';
    if (gone && before === undefined) return;
    const next = gone && before !== undefined ? { ...before, goneTick: tick } : { value, goneTick: -1 };
    this.#put(this.containers, cgroup, { ...next, stamp: 0, slot: 0 }, MAX_CONTAINERS, 'c');
    this.epoch++;
  }

  /** Lets go of containers that have been gone for long enough. */
  sweep(tick: number): void {
    for (const [cgroup, { goneTick }] of this.containers) {
      if (goneTick < 0 || goneTick + this.#keptTicks > tick) continue;
      this.#put(this.containers, cgroup, undefined, MAX_CONTAINERS, 'c');
      this.epoch++;
    }
  }

  /** Keys that changed since the last call: `u/<uid>`, `c/<cgroup>`. */
  drain(): string[] {
    const keys = [...this.#dirty];
    this.#dirty.clear();
    return keys;
  }

  /** A full table takes nothing new: what it holds then never depends on the order in which it was filled. */
  #put<K extends number | string, V>(map: Map<K, V>, key: K, value: V | undefined, max: number, kind: string): void {
    if (value === undefined) {
      if (map.delete(key)) this.#dirty.add(`${kind}/${key}`);
    } else if (map.size < max || map.has(key)) {
      map.set(key, value);
      this.#dirty.add(`${kind}/${key}`);
    } else this.refused++;
  }
}
