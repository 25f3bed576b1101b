import { BusFullError } from '../errors.ts';
import type { Retention } from './retention.ts';
import type { Store } from './store.ts';

export interface Share {
  /** Part of `maxBytes`. */
  readonly part: number;
  /** Bytes that must stay free on the disk. */
  readonly reserve: number;
}

/**
 * The shares of the bound, so that a full bus can always be drained. New input (`produce`) is refused first, then
 * commits that forward their input to another topic (`forward`). A commit that frees far more than it writes
 * (`release`) may use everything.
 */
export const SHARE: { readonly produce: Share; readonly forward: Share; readonly release: Share } = {
  produce: { part: 0.9, reserve: 2 * 2 ** 20 },
  forward: { part: 0.95, reserve: 2 ** 20 },
  release: { part: 1, reserve: 0 },
};

/** Bytes written between two measurements of the actual size. */
const MEASURE_EVERY = 256 * 1024;

/** Decides whether a write fits into the bound and onto the disk. */
export class Space {
  readonly #store: Store;
  readonly #retention: Retention;
  #live = 0;
  #wal = 0;
  #available = Infinity;
  /** Bytes written since the last measurement. */
  #unmeasured = 0;
  /** Size of the last refused `produce`; 0 after an admitted one. */
  #refusedBytes = 0;

  constructor(store: Store, retention: Retention) {
    this.#store = store;
    this.#retention = retention;
    this.#measure();
  }

  /** Throws BusFullError when `bytes` do not fit, even after reclaiming. */
  admit(bytes: number, share: Share): void {
    if (this.#unmeasured > MEASURE_EVERY) this.#measure();
    if (this.#fits(bytes, share) || this.#makeRoom(bytes, share)) {
      if (share === SHARE.produce) this.#refusedBytes = 0;
      return;
    }
    if (share === SHARE.produce) this.#refusedBytes = bytes;
    throw new BusFullError(this.#live + this.#wal, this.#store.options.maxBytes, this.#available);
  }

  wrote(bytes: number): void {
    this.#unmeasured += bytes;
  }

  /** `full` is true while the last refused `produce` would be refused again. */
  pressure(): { readonly usedBytes: number; readonly maxBytes: number; readonly full: boolean } {
    this.#measure();
    const full = this.#refusedBytes > 0 && !this.#makeRoom(this.#refusedBytes, SHARE.produce);
    return { usedBytes: this.#live + this.#wal, maxBytes: this.#store.options.maxBytes, full };
  }

  #makeRoom(bytes: number, share: Share): boolean {
    this.#measure();
    if (this.#fits(bytes, share)) return true;
    // Reclaim more than needed. Otherwise each of the next calls would reclaim again.
    this.#retention.reclaim(this.#limit(share) - bytes - this.#store.options.maxBytes / 64);
    this.#measure();
    return this.#fits(bytes, share);
  }

  #fits(bytes: number, share: Share): boolean {
    if (this.#live + this.#unmeasured + bytes > this.#limit(share)) return false;
    // Each byte is written twice, to the WAL and to the database, and the present WAL has still to be copied.
    return this.#available - this.#wal - 2 * (this.#unmeasured + bytes) >= share.reserve;
  }

  /** Returns the bytes that the database may use: the bound minus the WAL, which uses at least its budget. */
  #limit(share: Share): number {
    return (this.#store.options.maxBytes - Math.max(this.#wal, this.#store.walBudget)) * share.part;
  }

  #measure(): void {
    this.#live = this.#store.liveBytes();
    this.#wal = this.#store.walBytes();
    this.#available = this.#store.availableBytes();
    this.#unmeasured = 0;
  }
}
