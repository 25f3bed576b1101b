/** Slots at first: a power of two. */
const FEW = 16;

/** Rows by the hash of their key, in one block of numbers, at most half full: where a hash leads to, or behind it. */
export class KeyIndex {
  /** hash and row of each slot; without a row it is free */
  #slots = new Int32Array(2 * FEW);
  #mask = FEW - 1;
  #count = 0;

  /** The first slot with this hash; -1: there is none. */
  first(hash: number): number {
    return this.#seek(hash & this.#mask, hash);
  }

  /** The next one. */
  next(slot: number, hash: number): number {
    return this.#seek((slot + 1) & this.#mask, hash);
  }

  rowIn(slot: number): number {
    return this.#slots[2 * slot + 1]!;
  }

  add(hash: number, row: number): void {
    if (++this.#count > this.#mask >> 1) this.#resize(2 * (this.#mask + 1));
    this.#put(hash, row);
  }

  /** Of one that was added. */
  delete(hash: number, row: number): void {
    if (--this.#count === 0) {
      this.#resize(FEW);
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

  /** What follows moves up, unless its hash leads to behind the gap. */
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
