import { ByAge } from '@ringfence/schema';
import { StateError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { StateChange } from './codec.ts';

/** What a kind of memory keeps for a key, and how it is written. */
export interface Kept<V> {
  make(): V;
  encode(value: V): Uint8Array;
  /** @throws StateError */
  decode(id: string, bytes: Uint8Array): V;
}

interface Timed {
  /** µs of the newest event of the key */
  newest: number;
}

export interface StoreLimits {
  readonly keysPerRule: number;
  readonly keys: number;
}

/** Values by rule and key, the one unused for longest first. Bounded: when there are too many that one goes, and is counted. */
export class KeyStore<V extends Timed> {
  readonly #kept: Kept<V>;
  readonly #limits: StoreLimits;
  readonly #byRule = new Map<string, ByAge<string, V>>();
  readonly #changed = new Map<string, readonly [rule: string, key: string]>();
  #size = 0;
  #evicted = 0;
  /** µs, of all keys */
  #newestUs = Number.NEGATIVE_INFINITY;

  constructor(kept: Kept<V>, limits: StoreLimits) {
    this.#kept = kept;
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  get evicted(): number {
    return this.#evicted;
  }

  get(name: string, key: string): V | undefined {
    return this.#byRule.get(name)?.get(key);
  }

  rules(): Iterable<[name: string, values: ByAge<string, V>]> {
    return this.#byRule;
  }

  /** The value of a key, which is the one used last from now on; made when there is none. @param timeUs of the event */
  touch(name: string, key: string, timeUs: number): V {
    this.#newestUs = Math.max(this.#newestUs, timeUs);
    let values = this.#byRule.get(name);
    if (values === undefined) {
      values = new ByAge();
      this.#byRule.set(name, values);
    }
    const known = values.get(key);
    if (known !== undefined) {
      values.delete(key);
      values.set(key, known);
      return known;
    }
    if (values.size >= this.#limits.keysPerRule) this.#evictOldest(name, values);
    else if (this.#size >= this.#limits.keys) this.#evictFromLargest();
    const made = this.#kept.make();
    values.set(key, made);
    this.#size++;
    return made;
  }

  changed(name: string, key: string): void {
    this.#changed.set(`${name}\n${key}`, [name, key]);
  }

  delete(name: string, key: string): void {
    if (this.#byRule.get(name)?.delete(key) === true) this.#forgotten(name, key);
  }

  /** An event, or what was restored, may say a time that was never: all that comes to its key would be as late for ever. Call it on ticks. */
  settle(tickUs: number): void {
    const latestUs = tickUs + LIMITS.clockAheadUs;
    if (this.#newestUs <= latestUs) return;
    for (const [name, values] of this.#byRule)
      for (const [key, { newest }] of values) if (newest > latestUs) this.#evict(name, key);
    this.#newestUs = latestUs;
  }

  /** Keys changed since the last call, as they are now: entries for a changelog. */
  takeChanges(): StateChange[] {
    const changes = [...this.#changed].map(([id, [name, key]]): StateChange => {
      const value = this.get(name, key);
      return { key: id, value: value === undefined ? null : this.#kept.encode(value) };
    });
    this.#changed.clear();
    return changes;
  }

  /** Everything, in the form of `takeChanges`. */
  *snapshot(): Iterable<{ readonly key: string; readonly value: Uint8Array }> {
    for (const [name, values] of this.#byRule)
      for (const [key, value] of values) yield { key: `${name}\n${key}`, value: this.#kept.encode(value) };
  }

  /** Puts an entry back. @throws StateError when it can't be read */
  restore(id: string, bytes: Uint8Array): void {
    const end = id.lastIndexOf('\n');
    if (end === -1) throw new StateError(id, 'the key has no rule');
    const restored = this.#kept.decode(id, bytes);
    Object.assign(this.touch(id.slice(0, end), id.slice(end + 1), restored.newest), restored);
  }

  #evictFromLargest(): void {
    let largest: [string, ByAge<string, V>] | undefined;
    for (const entry of this.#byRule) if (largest === undefined || entry[1].size > largest[1].size) largest = entry;
    if (largest !== undefined) this.#evictOldest(...largest);
  }

  #evictOldest(name: string, values: ByAge<string, V>): void {
    const oldest = values.takeOldest();
    if (oldest === undefined) return;
    this.#forgotten(name, oldest[0]);
    this.#evicted++;
  }

  #evict(name: string, key: string): void {
    this.delete(name, key);
    this.#evicted++;
  }

  #forgotten(name: string, key: string): void {
    this.#size--;
    this.changed(name, key);
  }
}
