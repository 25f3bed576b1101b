import type { Container } from '@ringfence/wire';

export interface KnownContainer {
  readonly value: Container;
  /** tick at which it was reported as gone; -1: it exists */
  readonly goneTick: number;
  /** the output batch in which `slot` is its index */
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
  /** grows with each change of `containers` */
  epoch = 0;
  /** entries that were not added because a table was full */
  refused = 0;
  readonly #dirty = new Set<string>();
  readonly #keptTicks: number;

  constructor(keptTicks: number) {
    this.#keptTicks = keptTicks;
  }

  /** An empty name removes the user. */
  setUser(uid: number, name: string): void {
    if (this.users.get(uid) === name) return;
    this.#put(this.users, uid, name === '' ? undefined : name, MAX_USERS, 'u');
  }

  /** An empty id marks the container as gone. */
  setContainer(cgroup: string, value: Container, tick: number): void {
    const before = this.containers.get(cgroup);
    const isGone = value.id === '';
    if (isGone && before === undefined) return;
    const next = isGone && before !== undefined ? { ...before, goneTick: tick } : { value, goneTick: -1 };
    this.#put(this.containers, cgroup, { ...next, stamp: 0, slot: 0 }, MAX_CONTAINERS, 'c');
    this.epoch++;
  }

  /** Removes containers that have been gone for `keptTicks`. */
  sweep(tick: number): void {
    for (const [cgroup, { goneTick }] of this.containers) {
      if (goneTick < 0 || goneTick + this.#keptTicks > tick) continue;
      this.#put(this.containers, cgroup, undefined, MAX_CONTAINERS, 'c');
      this.epoch++;
    }
  }

  /** Returns the keys that changed since the last call: `u/<uid>`, `c/<cgroup>`. */
  drain(): string[] {
    const keys = [...this.#dirty];
    this.#dirty.clear();
    return keys;
  }

  /** A full table refuses new entries, because a restored table doesn't know in which order it was filled. */
  #put<K extends number | string, V>(map: Map<K, V>, key: K, value: V | undefined, max: number, kind: string): void {
    if (value === undefined) {
      if (map.delete(key)) this.#dirty.add(`${kind}/${key}`);
    } else if (map.size < max || map.has(key)) {
      map.set(key, value);
      this.#dirty.add(`${kind}/${key}`);
    } else this.refused++;
  }
}
