import type { Database, Statement } from 'better-sqlite3';
import type { StateChange, StateEntry } from '../port.ts';

interface Row {
  readonly key: string;
  readonly value: Buffer;
  readonly offset: number;
  readonly idx: number;
}

const CHUNK = 256;

/** The state stores: the latest value of each key, with the input position of its last change. */
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
      'SELECT key, value, offset, idx FROM state WHERE store = ? AND partition = ? AND key > ? ORDER BY key LIMIT ?',
    );
  }

  apply(change: StateChange): void {
    const { store, partition, key, value, position } = change;
    if (value === null) this.#delete.run(store, partition, key);
    else this.#put.run(store, partition, key, value, position.offset, position.index);
  }

  *entries(store: string, partition: number): Iterable<StateEntry> {
    let after = '';
    for (;;) {
      const rows = this.#chunk.all(store, partition, after, CHUNK);
      for (const row of rows) {
        const position = { offset: row.offset, index: row.idx };
        yield { key: row.key, value: row.value, position };
      }
      if (rows.length < CHUNK) return;
      after = rows[CHUNK - 1]!.key;
    }
  }
}
