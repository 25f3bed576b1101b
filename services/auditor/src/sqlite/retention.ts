import type { AuditKind } from '@ringfence/schema';
import { kindNumber } from '../chain.ts';
import { AuditFullError } from '../errors.ts';
import type { AuditDropCause } from '../sink.ts';
import type { Sqlite } from './database.ts';
import { unpackKeys } from './entity-keys.ts';

/** What may go when there is no room, first to last. Alerts, incidents, commands and results stay. */
const DROPPABLE: readonly AuditKind[] = ['events', 'execution', 'dlq', 'gap'];

/** Of the bound, for the write-ahead log and pages in use by no one yet. */
const SLACK_BYTES = 8 * 2 ** 20;

interface OldestRow {
  readonly record: number;
  readonly chain: number;
  readonly seq: number;
  readonly hash: Buffer;
  readonly until: number;
  readonly entities: Buffer;
  readonly events: number;
  readonly stored: number;
}

/** Keeps the trail within its bound. Works inside the caller's transaction, so that what goes, the chain's new base and the count of it are one. */
export class Retention {
  readonly #db: Sqlite;
  readonly #path: string;
  readonly #limitBytes: number;
  readonly #pageBytes: number;
  readonly #oldest;
  readonly #delete;
  readonly #unlink;
  readonly #unindex;
  readonly #base;
  readonly #count;

  constructor(db: Sqlite, path: string, maxBytes: number) {
    this.#db = db;
    this.#path = path;
    this.#limitBytes = maxBytes - SLACK_BYTES;
    this.#pageBytes = db.pragma('page_size', { simple: true }) as number;
    this.#oldest = db.prepare<[number], OldestRow>(
      `SELECT r.record, r.chain, r.seq, r.hash, r.until, r.entities, r.events, length(r.payload) AS stored
       FROM chains c JOIN records r ON r.chain = c.chain AND r.seq = (SELECT min(seq) FROM records WHERE chain = c.chain)
       WHERE c.kind = ? ORDER BY r.record LIMIT 1`,
    );
    this.#delete = db.prepare('DELETE FROM records WHERE record = ?');
    this.#unlink = db.prepare('DELETE FROM entities WHERE entity = ? AND kind = ? AND record = ?');
    this.#unindex = db.prepare('DELETE FROM search WHERE rowid = ?');
    this.#base = db.prepare('UPDATE chains SET base_seq = ?, base_hash = ? WHERE chain = ?');
    this.#count = db.prepare(
      `INSERT INTO drops (kind, cause, count, events, bytes) VALUES (?, ?, 1, ?, ?)
       ON CONFLICT (kind, cause) DO UPDATE SET count = count + 1, events = events + excluded.events, bytes = bytes + excluded.bytes`,
    );
  }

  usedBytes(): number {
    const pages = this.#db.pragma('page_count', { simple: true }) as number;
    const free = this.#db.pragma('freelist_count', { simple: true }) as number;
    return (pages - free) * this.#pageBytes;
  }

  /** Lets go of event batches that ended before `cutoff` (µs), then of the oldest until the rest fits. Throws AuditFullError when nothing more may go. */
  apply(cutoff: number): void {
    while (this.#dropOldest('events', 'age', cutoff));
    while (this.usedBytes() > this.#limitBytes) {
      if (!DROPPABLE.some((kind) => this.#dropOldest(kind, 'disk-bound', Number.POSITIVE_INFINITY))) {
        throw new AuditFullError(this.#path, 'alerts, incidents, commands and results alone fill auditor.maxBytes');
      }
    }
  }

  #dropOldest(kind: AuditKind, cause: AuditDropCause, before: number): boolean {
    const number = kindNumber[kind];
    const oldest = this.#oldest.get(number);
    if (oldest === undefined || oldest.until >= before) return false;
    const { record, chain, seq, hash, entities, events, stored } = oldest;
    this.#delete.run(record);
    for (const key of unpackKeys(entities)) this.#unlink.run(key, number, record);
    if (kind !== 'events') this.#unindex.run(record);
    this.#base.run(seq, hash, chain);
    this.#count.run(number, cause, events, stored);
    return true;
  }
}
