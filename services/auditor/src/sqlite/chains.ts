import type { AuditKind } from '@ringfence/wire';
import { GENESIS, kindNumber } from '../chain.ts';
import type { Sqlite } from './database.ts';

export interface Chain {
  readonly chain: number;
  /** Sequence number of the newest record, including one that was inserted behind the head */
  seq: number;
  hash: Uint8Array;
  /** Longest time between the first and the last event of a record, µs */
  span: number;
  /** Number of events in all records, including dropped ones */
  events: number;
  changed: boolean;
}

interface ChainRow {
  readonly chain: number;
  readonly head_seq: number;
  readonly head_hash: Buffer;
  readonly span: number;
  readonly events: number;
  readonly last: number | null;
}

/** The chains within one transaction: loaded on first use and written back at the end. */
export class Chains {
  readonly #select;
  readonly #insert;
  readonly #update;
  readonly #loaded = new Map<string, Chain>();

  constructor(db: Sqlite) {
    this.#select = db.prepare<[string, number, number], ChainRow>(
      `SELECT chain, head_seq, head_hash, span, events, (SELECT max(seq) FROM records r WHERE r.chain = c.chain) AS last
       FROM chains c WHERE topic = ? AND partition = ? AND kind = ?`,
    );
    this.#insert = db.prepare(
      `INSERT INTO chains (topic, partition, kind, base_seq, base_hash, head_seq, head_hash, span, events)
       VALUES (?, ?, ?, 0, ?, 0, ?, 0, 0)`,
    );
    this.#update = db.prepare('UPDATE chains SET head_seq = ?, head_hash = ?, span = ?, events = ? WHERE chain = ?');
  }

  get(topic: string, partition: number, kind: AuditKind): Chain {
    const key = `${topic}/${partition}/${kind}`;
    const loaded = this.#loaded.get(key);
    if (loaded !== undefined) return loaded;
    const number = kindNumber[kind];
    let row = this.#select.get(topic, partition, number);
    if (row === undefined) {
      this.#insert.run(topic, partition, number, GENESIS, GENESIS);
      row = this.#select.get(topic, partition, number) as ChainRow;
    }
    // A record that was inserted behind the head must not stop the trail: skip it; `verify` reports it.
    const seq = Math.max(row.head_seq, row.last ?? 0);
    const { head_hash: hash, span, events } = row;
    const chain: Chain = { chain: row.chain, seq, hash, span, events, changed: false };
    this.#loaded.set(key, chain);
    return chain;
  }

  save(): void {
    for (const { chain, seq, hash, span, events, changed } of this.#loaded.values()) {
      if (changed) this.#update.run(seq, hash, span, events, chain);
    }
    this.clear();
  }

  clear(): void {
    this.#loaded.clear();
  }
}
