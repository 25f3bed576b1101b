/**
 * A Map from which the entry that was set longest ago is taken at once. A new iterator would walk over all that were deleted before it, so one serves many
 * calls; but it keeps every table that the Map has outgrown since, so that it goes when it wasn't asked for long.
 */
export class ByAge<K, V> extends Map<K, V> {
  #entries: MapIterator<[K, V]> | undefined;
  /** since the iterator was asked */
  #sets = 0;

  override set(key: K, value: V): this {
    if (this.#entries !== undefined && ++this.#sets > this.size) this.#entries = undefined;
    return super.set(key, value);
  }

  /** Deletes it; undefined: there is none. */
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
