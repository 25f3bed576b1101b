/**
 * A Map whose oldest entry is taken in constant time. A new iterator would walk over all deleted entries, so one
 * iterator serves many calls. It retains every table that the Map has outgrown, so an unused iterator is dropped.
 */
export class ByAge<K, V> extends Map<K, V> {
  #entries: MapIterator<[K, V]> | undefined;
  /** Number of sets since the last use of the iterator. */
  #sets = 0;

  override set(key: K, value: V): this {
    if (this.#entries !== undefined && ++this.#sets > this.size) this.#entries = undefined;
    return super.set(key, value);
  }

  /** Deletes and returns the oldest entry; undefined when the Map is empty. */
  takeOldest(): [key: K, value: V] | undefined {
    this.#sets = 0;
    for (let fresh = this.#entries === undefined; ; fresh = true) {
      this.#entries ??= this.entries();
      const { done, value } = this.#entries.next();
      if (done !== true) {
        this.delete(value[0]);
        return value;
      }
      this.#entries = undefined;
      if (fresh) return undefined;
    }
  }
}
