import { BusFullError } from '../errors.ts';
import type { Retention } from './retention.ts';
import type { Store } from './store.ts';

/**
 * Who may use how much of the bound. New input stops first, so that what is inside can be worked off; a commit that writes its input on to the next
 * topic stops next; one that gives back far more than it takes may use it all. Otherwise a full bus could never empty itself.
 */
export const SHARE = { produce: 0.9, forward: 0.95, release: 1 } as const;

/** Bytes written between two looks at the real size. */
const LOOK_EVERY = 256 * 1024;

export class Space {
  readonly #store: Store;
  readonly #retention: Retention;
  #live = 0;
  #wal = 0;
  #unseen = 0;
  /** size of the call to produce that was refused last; 0 when the last one was let in */
  #refused = 0;

  constructor(store: Store, retention: Retention) {
    this.#store = store;
    this.#retention = retention;
    this.#look();
  }

  /** Throws BusFullError when `bytes` don't fit, also after reclaiming. */
  admit(bytes: number, share: number): void {
    if (this.#unseen > LOOK_EVERY) this.#look();
    if (this.#fits(bytes, share) || this.#makeRoom(bytes, share)) {
      if (share === SHARE.produce) this.#refused = 0;
      return;
    }
    if (share === SHARE.produce) this.#refused = bytes;
    throw new BusFullError(this.#live + this.#wal, this.#store.options.maxBytes);
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

  #makeRoom(bytes: number, share: number): boolean {
    this.#look();
    if (this.#fits(bytes, share)) return true;
    // A little more than needed, or each of the next calls would come here again.
    this.#retention.reclaim(this.#limit(share) - bytes - this.#store.options.maxBytes / 64);
    this.#look();
    return this.#fits(bytes, share);
  }

  #fits(bytes: number, share: number): boolean {
    return this.#live + this.#unseen + bytes <= this.#limit(share);
  }

  /** The write-ahead log has its own budget, and takes from the rest what it grows beyond. */
  #limit(share: number): number {
    return (this.#store.options.maxBytes - Math.max(this.#wal, this.#store.walBudget)) * share;
  }

  #look(): void {
    this.#live = this.#store.liveBytes();
    this.#wal = this.#store.walBytes();
    this.#unseen = 0;
  }
}
