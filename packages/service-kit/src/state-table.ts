import type { Position, StateChange, StateEntry } from '@ringfence/bus';

/** The input that last changed an entry. */
export interface InputPosition extends Position {
  readonly partition: number;
}

export interface StateTableOptions<T> {
  /** Name of the store, `ringfence.state.*`. */
  readonly store: string;
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T;
  /** Limit of entries. Beyond it, the entry that was set longest ago is evicted, and counted. */
  readonly maxEntries: number;
  /** Called for each evicted entry, so that the owner can release related data. */
  readonly onEvict?: (key: string, value: T) => void;
}

interface Entry<T> {
  readonly value: T;
  readonly at: InputPosition;
}

/**
 * A bounded Map over one state store. `drain` returns the changes since the last drain, for the commit; `rollback`
 * reverts them after an error. Values must be immutable: set a new value instead of changing one, which would go
 * unnoticed.
 */
export class StateTable<T> {
  readonly #options: StateTableOptions<T>;
  readonly #entries: Map<string, Entry<T>> = new Map();
  /** Entries as of the last drain, for the keys changed since; undefined for new keys. */
  readonly #before: Map<string, Entry<T> | undefined> = new Map();
  /** Input of the last change, by changed key. A deleted entry cannot hold it. */
  readonly #changedAt: Map<string, InputPosition> = new Map();
  #evicted = 0;

  constructor(options: StateTableOptions<T>) {
    if (!(options.maxEntries >= 1)) throw new RangeError(`maxEntries is ${options.maxEntries}, expected at least 1`);
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Number of evicted entries. */
  get evicted(): number {
    return this.#evicted;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  keys(): MapIterator<string> {
    return this.#entries.keys();
  }

  *entries(): Generator<[string, T], void, undefined> {
    for (const [key, { value }] of this.#entries) yield [key, value];
  }

  /** Returns whether an entry includes this input already, so that a redelivery must not change it again. */
  isApplied(key: string, at: InputPosition): boolean {
    const last = this.#entries.get(key)?.at;
    if (last === undefined || last.partition !== at.partition) return false;
    return at.offset < last.offset || (at.offset === last.offset && at.index <= last.index);
  }

  set(key: string, value: T, at: InputPosition): void {
    this.#trackChange(key, at);
    // Delete first, so that the Map is in the order of the last set.
    this.#entries.delete(key);
    this.#entries.set(key, { value, at });
    if (this.#entries.size > this.#options.maxEntries) this.#evictOldest(at);
  }

  delete(key: string, at: InputPosition): void {
    if (!this.#entries.has(key)) return;
    this.#trackChange(key, at);
    this.#entries.delete(key);
  }

  /** Returns one change for each key changed since the last drain. These can't be rolled back any more. */
  drain(): StateChange[] {
    const { store, encode } = this.#options;
    const changes: StateChange[] = [];
    for (const [key, before] of this.#before) {
      const entry = this.#entries.get(key);
      // Delete an entry that has moved to another input partition from its old partition.
      if (before !== undefined && before.at.partition !== entry?.at.partition) {
        changes.push({ store, partition: before.at.partition, key, value: null, position: this.#changedAt.get(key)! });
      }
      if (entry !== undefined) {
        const { partition, offset, index } = entry.at;
        changes.push({ store, partition, key, value: encode(entry.value), position: { offset, index } });
      }
    }
    this.#before.clear();
    this.#changedAt.clear();
    return changes;
  }

  /** Reverts all changes since the last drain. */
  rollback(): void {
    for (const [key, before] of this.#before) {
      if (before === undefined) this.#entries.delete(key);
      else this.#entries.set(key, before);
    }
    this.#before.clear();
    this.#changedAt.clear();
  }

  /** Adds the stored entries of an assigned partition. */
  async restore(entries: AsyncIterable<StateEntry>, partition: number): Promise<void> {
    const { decode, maxEntries } = this.#options;
    const restored: [string, Entry<T>][] = [];
    for await (const { key, value, position } of entries) {
      restored.push([key, { value: decode(value), at: { partition, ...position } }]);
    }
    // Restore the order of the last set, as far as the positions define it.
    restored.sort(([, a], [, b]) => a.at.offset - b.at.offset || a.at.index - b.at.index);
    for (const [key, entry] of restored) this.#entries.set(key, entry);
    for (let excess = this.#entries.size - maxEntries; excess > 0; excess--) this.#evictOldest();
  }

  #trackChange(key: string, at: InputPosition): void {
    if (!this.#before.has(key)) this.#before.set(key, this.#entries.get(key));
    this.#changedAt.set(key, at);
  }

  /** `cause` is the input that needs the room. During a restore it is the input of the evicted entry. */
  #evictOldest(cause?: InputPosition): void {
    for (const [key, { value, at }] of this.#entries) {
      this.#trackChange(key, cause ?? at);
      this.#entries.delete(key);
      this.#evicted++;
      this.#options.onEvict?.(key, value);
      return;
    }
  }
}
