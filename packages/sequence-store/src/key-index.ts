import type { KeyRow } from './handles.ts';

/** A power of two. */
const INITIAL_SLOTS = 16;

/** Maps hashes of keys to rows: an open-addressing table in one block of numbers, at most half full. */
export class KeyIndex {
  /** Hash and row of each slot; a slot without a row is free. */
  #slots = new Int32Array(2 * INITIAL_SLOTS);
  #mask = INITIAL_SLOTS - 1;
  #count = 0;

  /** Returns the first slot with this hash; -1: none. */
  first(hash: number): number {
    return this.#seek(hash & this.#mask, hash);
  }

  /** Returns the next slot with this hash; -1: none. */
  next(slot: number, hash: number): number {
    return this.#seek((slot + 1) & this.#mask, hash);
  }

  rowIn(slot: number): KeyRow {
    return this.#slots[2 * slot + 1]! as KeyRow;
  }

  add(hash: number, row: KeyRow): void {
    if (++this.#count > this.#mask >> 1) this.#resize(2 * (this.#mask + 1));
    this.#put(hash, row);
  }

  /** Deletes a row that was added. */
  delete(hash: number, row: KeyRow): void {
    if (--this.#count === 0) {
      this.#resize(INITIAL_SLOTS);
      return;
    }
    let slot = this.first(hash);
    while (this.rowIn(slot) !== row) slot = this.next(slot, hash);
    this.#close(slot);
  }

  #seek(from: number, hash: number): number {
    const slots = this.#slots;
    for (let slot = from; slots[2 * slot + 1] !== 0; slot = (slot + 1) & this.#mask)
      if (slots[2 * slot] === hash) return slot;
    return -1;
  }

  #put(hash: number, row: number): void {
    let slot = hash & this.#mask;
    while (this.rowIn(slot) !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[2 * slot] = hash;
    this.#slots[2 * slot + 1] = row;
  }

  /** Empties a slot. Later entries move up unless their hash points behind the gap, so no tombstones are needed. */
  #close(slot: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let gap = slot;
    for (let next = (slot + 1) & mask; slots[2 * next + 1] !== 0; next = (next + 1) & mask) {
      if (((next - slots[2 * next]!) & mask) < ((next - gap) & mask)) continue;
      slots[2 * gap] = slots[2 * next]!;
      slots[2 * gap + 1] = slots[2 * next + 1]!;
      gap = next;
    }
    slots[2 * gap + 1] = 0;
  }

  #resize(size: number): void {
    const old = this.#slots;
    this.#slots = new Int32Array(2 * size);
    this.#mask = size - 1;
    if (this.#count > 0) for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== 0) this.#put(old[i]!, old[i + 1]!);
  }
}
