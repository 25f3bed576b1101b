import type { Database, Statement } from 'better-sqlite3';
import type { StateChange, StateEntry } from '../port.ts';

interface Row {
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer;
  readonly offset: number;
  readonly idx: number;
}

const CHUNK = 256;

/** The state stores: the latest value of each key, with the input position that made it. */
export class StateStores {
  readonly #put: Statement<[string, number, string, Uint8Array, number, number]>;
  readonly #delete: Statement<[string, number, string]>;
  readonly #chunk: Statement<[string, number, string, number], Row>;

  constructor(db: Database) {
    this.#put = db.prepare(
      'INSERT OR REPLACE INTO state (store, partition, key, value, offset, idx) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#delete = db.prepare('DELETE FROM state WHERE store = ? AND partition = ? AND key = ?');
    this.#chunk = db.prepare(
      'SELECT partition, key, value, offset, idx FROM state WHERE store = ? AND (partition, key) > (?, ?) ORDER BY partition, key LIMIT ?',
    );
  }

  apply(change: StateChange): void {
    const { store, partition, key, value, position } = change;
    if (value === null) this.#delete.run(store, partition, key);
    else this.#put.run(store, partition, key, value, position.offset, position.index);
  }

  *entries(store: string): Iterable<StateEntry & { readonly partition: number }> {
    let after = { partition: -1, key: '' };
    for (;;) {
      const rows = this.#chunk.all(store, after.partition, after.key, CHUNK);
      for (const row of rows) {
        const position = { offset: row.offset, index: row.idx };
        yield { partition: row.partition, key: row.key, value: row.value, position };
      }
      if (rows.length < CHUNK) return;
      after = rows[CHUNK - 1]!;
    }
  }
}
