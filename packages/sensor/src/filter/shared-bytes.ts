/**
 * Bytes that the sensor's programs read, with a private copy of what was last written there. Any process with a
 * descriptor of the map can write to the shared memory, so nothing is ever read back from it.
 */
export class SharedBytes {
  readonly #shared: Uint8Array;
  readonly #written: Uint8Array<ArrayBuffer>;

  /** @param shared its current content counts as written: an earlier agent may have left it */
  constructor(shared: Uint8Array) {
    this.#shared = shared;
    this.#written = Uint8Array.from(shared);
  }

  /** The private copy. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#written;
  }

  set(bytes: Uint8Array, at = 0): void {
    this.#written.set(bytes, at);
    this.#shared.set(bytes, at);
  }

  /** Writes a part of the private copy that was changed there. */
  publish(start: number, length: number): void {
    this.#shared.set(this.#written.subarray(start, start + length), start);
  }

  /** Writes again what another process has changed. Returns 1 if there was a difference, else 0. */
  restore(): number {
    if (Buffer.compare(this.#shared, this.#written) === 0) return 0;
    this.#shared.set(this.#written);
    return 1;
  }
}
