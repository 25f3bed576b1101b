import type { Store } from './store.ts';

/** Folds the write-ahead log back into the database, so that it stays small. */
export class Checkpointer {
  readonly #store: Store;
  #pending = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  wrote(bytes: number): void {
    this.#pending += bytes;
    if (this.#store.walBudget === 0 || this.#pending < this.#store.walBudget / 8) return;
    this.#pending = 0;
    this.#store.db.pragma('wal_checkpoint(PASSIVE)');
  }
}
