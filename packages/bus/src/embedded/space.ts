import { BusFullError } from '../errors.ts';
import type { Retention } from './retention.ts';
import type { Store } from './store.ts';

export interface Share {
  /** of the bound */
  readonly part: number;
  /** what must stay free on the disk, bytes */
  readonly reserve: number;
}

/**
 * Who may use how much. New input stops first, so that what is inside can be worked off; a commit that writes its input on to the next topic stops
 * next; one that gives back far more than it takes may use it all. Otherwise a full bus could never empty itself.
 */
export const SHARE: { readonly produce: Share; readonly forward: Share; readonly release: Share } = {
  produce: { part: 0.9, reserve: 2 * 2 ** 20 },
  forward: { part: 0.95, reserve: 2 ** 20 },
  release: { part: 1, reserve: 0 },
};

/** Bytes written between two looks at the real size. */
const LOOK_EVERY = 256 * 1024;

export class Space {
  readonly #store: Store;
  readonly #retention: Retention;
  #live = 0;
  #wal = 0;
  #available = Infinity;
  #unseen = 0;
  /** size of the call to produce that was refused last; 0 when the last one was let in */
  #refused = 0;

  constructor(store: Store, retention: Retention) {
    this.#store = store;
    this.#retention = retention;
    this.#look();
  }

  /** Throws BusFullError when `bytes` don't fit, also after reclaiming. */
  admit(bytes: number, share: Share): void {
    if (this.#unseen > LOOK_EVERY) this.#look();
    if (this.#fits(bytes, share) || this.#makeRoom(bytes, share)) {
      if (share === SHARE.produce) this.#refused = 0;
      return;
    }
    if (share === SHARE.produce) this.#refused = bytes;
    throw new BusFullError(this.#live + this.#wal, this.#store.options.maxBytes, this.#available);
  }

  wrote(bytes: number): void {
    this.#unseen += bytes;
  }

  /** `full`: what was refused last would be refused again. */
  pressure(): { readonly usedBytes: number; readonly maxBytes: number; readonly full: boolean } {
    this.#look();
    const full = this.#refused > 0 && !this.#makeRoom(this.#refused, SHARE.produce);
    return { usedBytes: this.#live + this.#wal, maxBytes: this.#store.options.maxBytes, full };
  }

  #makeRoom(bytes: number, share: Share): boolean {
    this.#look();
    if (this.#fits(bytes, share)) return true;
    // A little more than needed, or each of the next calls would come here again.
    this.#retention.reclaim(this.#limit(share) - bytes - this.#store.options.maxBytes / 64);
    this.#look();
    return this.#fits(bytes, share);
  }

  #fits(bytes: number, share: Share): boolean {
    if (this.#live + this.#unseen + bytes > this.#limit(share)) return false;
    // Each byte is written twice, to the log and to the file, and the log must still find its place in the file.
    return this.#available - this.#wal - 2 * (this.#unseen + bytes) >= share.reserve;
  }

  /** The write-ahead log has its own budget, and takes from the rest what it grows beyond. */
  #limit(share: Share): number {
    return (this.#store.options.maxBytes - Math.max(this.#wal, this.#store.walBudget)) * share.part;
  }

  #look(): void {
    this.#live = this.#store.liveBytes();
    this.#wal = this.#store.walBytes();
    this.#available = this.#store.availableBytes();
    this.#unseen = 0;
  }
}
