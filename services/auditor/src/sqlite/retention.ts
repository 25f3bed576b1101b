import type { AuditKind } from '@ringfence/wire';
import { kindNumber } from '../chain.ts';
import { AuditFullError } from '../errors.ts';
import type { AuditDropCause } from '../sink.ts';
import type { Sqlite } from './database.ts';
import { unpackKeys } from './entity-keys.ts';
import type { HeldRecords } from './held-records.ts';

/**
 * Kinds to drop when space runs out, in this order. Alerts, incidents, commands, results, actions of operators and what
 * a hold keeps always stay.
 */
const DROPPABLE: readonly AuditKind[] = ['events', 'execution', 'dlq', 'gap'];

/** Part of the limit that is reserved for the write-ahead log and free pages. */
const SLACK_BYTES = 8 * 2 ** 20;

/** Number of later records checked to date a record with a future timestamp. Small: every commit does this. */
const LOOKAHEAD_RECORDS = 256;

interface OldestRow {
  readonly record: number;
  readonly chain: number;
  readonly seq: number;
  readonly hash: Buffer;
  readonly entities: Buffer;
  readonly events: number;
  readonly stored: number;
}

/**
 * Keeps the trail within its limit. Works inside the caller's transaction, so that the deletion, the new base of the
 * chain and the drop counter change atomically.
 */
export class Retention {
  readonly #db: Sqlite;
  readonly #path: string;
  readonly #limitBytes: number;
  readonly #pageBytes: number;
  readonly #oldest;
  readonly #expired;
  readonly #delete;
  readonly #unlink;
  readonly #unindex;
  readonly #base;
  readonly #count;
  readonly #held: HeldRecords;

  constructor(db: Sqlite, path: string, maxBytes: number, held: HeldRecords) {
    this.#held = held;
    this.#db = db;
    this.#path = path;
    this.#limitBytes = maxBytes - SLACK_BYTES;
    this.#pageBytes = db.pragma('page_size', { simple: true }) as number;
    const heads = `SELECT r.record, r.chain, r.seq, r.hash, r.entities, r.events, length(r.payload) AS stored
       FROM chains c JOIN records r ON r.chain = c.chain AND r.seq = (SELECT min(seq) FROM records WHERE chain = c.chain)
       WHERE c.kind = ?`;
    this.#oldest = db.prepare<[number], OldestRow>(`${heads} ORDER BY r.record LIMIT 1`);
    // Date a record with a future timestamp by the next record with a plausible one, if that follows soon.
    this.#expired = db.prepare<[number, number, number, number], OldestRow>(
      `${heads} AND CASE WHEN r.until <= ? THEN r.until ELSE
         (SELECT until FROM records n WHERE n.chain = c.chain AND n.seq <= r.seq + ${LOOKAHEAD_RECORDS} AND n.until <= ? ORDER BY seq LIMIT 1) END < ?
       ORDER BY r.record LIMIT 1`,
    );
    this.#delete = db.prepare('DELETE FROM records WHERE record = ?');
    this.#unlink = db.prepare('DELETE FROM entities WHERE entity = ? AND kind = ? AND record = ?');
    this.#unindex = db.prepare('DELETE FROM search WHERE rowid = ?');
    this.#base = db.prepare('UPDATE chains SET base_seq = ?, base_hash = ? WHERE chain = ?');
    this.#count = db.prepare(
      `INSERT INTO drops (kind, cause, count, events, bytes) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (kind, cause) DO UPDATE SET count = count + excluded.count, events = events + excluded.events, bytes = bytes + excluded.bytes`,
    );
  }

  usedBytes(): number {
    const pages = this.#db.pragma('page_count', { simple: true }) as number;
    const free = this.#db.pragma('freelist_count', { simple: true }) as number;
    return (pages - free) * this.#pageBytes;
  }

  /**
   * Drops event batches that ended before `cutoff`, then the oldest droppable records until the rest fits. Times are in
   * µs. Throws AuditFullError when nothing more may be dropped.
   */
  apply(cutoff: number, now: number): void {
    while (this.#drop('events', 'age', this.#expired.get(kindNumber.events, now, now, cutoff)));
    while (this.usedBytes() > this.#limitBytes) {
      if (!DROPPABLE.some((kind) => this.#drop(kind, 'disk-bound', this.#oldest.get(kindNumber[kind])))) {
        throw new AuditFullError(this.#path, 'alerts, incidents, commands and results alone fill auditor.maxBytes');
      }
    }
  }

  /** Drops the first record of a chain. Returns false when `row` is undefined. */
  #drop(kind: AuditKind, cause: AuditDropCause, row: OldestRow | undefined): boolean {
    if (row === undefined) return false;
    const number = kindNumber[kind];
    const { record, chain, seq, hash, entities, events, stored } = row;
    const { isLost } = this.#held.keep(record, kind, entities);
    this.#delete.run(record);
    for (const key of unpackKeys(entities)) this.#unlink.run(key, number, record);
    if (kind !== 'events') this.#unindex.run(record);
    this.#base.run(seq, hash, chain);
    this.#count.run(number, isLost ? 'hold-full' : cause, 1, events, stored);
    return true;
  }

  /** Drops what the hold of an incident kept. */
  release(incident: string): void {
    const { count, events, bytes } = this.#held.release(incident);
    if (count > 0) this.#count.run(kindNumber.held, 'released', count, events, bytes);
  }
}
