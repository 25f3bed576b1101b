import { asBuffer } from '@ringfence/wire';
import { kindNumber, recordHash } from '../chain.ts';
import { pack, unpack } from '../packing.ts';
import type { AuditEntry } from '../sink.ts';
import type { Chains } from './chains.ts';
import type { Sqlite } from './database.ts';
import { entityKeys, packKeys } from './entity-keys.ts';

export type WriteResult =
  | { readonly outcome: 'stored'; readonly bytes: number }
  | { readonly outcome: 'duplicate' | 'conflict' };

interface PayloadRow {
  readonly size: number;
  readonly packed: number;
  readonly payload: Buffer;
}

/** Writes an entry with its index rows inside the caller's transaction. */
export class RecordWriter {
  readonly #chains: Chains;
  readonly #record;
  readonly #existing;
  readonly #entity;
  readonly #cause;
  readonly #text;
  readonly #unindex;
  readonly #newest;
  readonly #incident;

  constructor(db: Sqlite, chains: Chains) {
    this.#chains = chains;
    this.#record = db.prepare(
      `INSERT INTO records (chain, seq, kind, id, timestamp, until, host, source_offset, event_kinds, events, prev_hash, hash, size, packed, entities, payload)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO NOTHING`,
    );
    this.#existing = db.prepare<[number, string], PayloadRow>(
      'SELECT size, packed, payload FROM records WHERE kind = ? AND id = ?',
    );
    this.#entity = db.prepare('INSERT OR IGNORE INTO entities (entity, kind, record) VALUES (?, ?, ?)');
    this.#cause = db.prepare('INSERT OR IGNORE INTO causes (cause, record) VALUES (?, ?)');
    this.#text = db.prepare('INSERT INTO search (rowid, text) VALUES (?, ?)');
    this.#unindex = db.prepare('DELETE FROM search WHERE rowid = ?');
    this.#newest = db.prepare<[string], { version: number; record: number }>(
      'SELECT version, record FROM incidents WHERE id = ?',
    );
    this.#incident = db.prepare(
      `INSERT INTO incidents (id, version, last_seen, record) VALUES (?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET version = excluded.version, last_seen = excluded.last_seen, record = excluded.record`,
    );
  }

  write(entry: AuditEntry): WriteResult {
    const chain = this.#chains.get(entry.topic, entry.partition, entry.kind);
    const kind = kindNumber[entry.kind];
    const hash = recordHash(chain.hash, entry);
    const keys = entityKeys(entry.entities);
    const { bytes, packed } = pack(entry.payload);
    const { id, timestamp, until, hostId, offset, eventKinds, eventCount, payload } = entry;
    const { changes, lastInsertRowid } = this.#record.run(
      chain.chain,
      chain.seq + 1,
      kind,
      id,
      timestamp,
      until,
      hostId,
      offset,
      eventKinds,
      eventCount,
      chain.hash,
      hash,
      payload.length,
      packed,
      packKeys(keys),
      bytes,
    );
    if (changes === 0) return { outcome: this.#isSame(kind, entry) ? 'duplicate' : 'conflict' };
    chain.seq++;
    chain.hash = hash;
    chain.span = Math.max(chain.span, until - timestamp);
    chain.events += eventCount;
    chain.changed = true;
    this.#index(entry, kind, keys, Number(lastInsertRowid));
    return { outcome: 'stored', bytes: bytes.length };
  }

  #isSame(kind: number, entry: AuditEntry): boolean {
    const row = this.#existing.get(kind, entry.id);
    return row !== undefined && unpack(row.payload, row.packed, row.size).equals(asBuffer(entry.payload));
  }

  #index(entry: AuditEntry, kind: number, keys: readonly number[], record: number): void {
    for (const key of keys) this.#entity.run(key, kind, record);
    if (entry.cause !== '') this.#cause.run(entry.cause, record);
    if (entry.incident !== null && !this.#replaceNewest(entry.incident, entry.timestamp, record)) return;
    if (entry.text !== '') this.#text.run(record, entry.text);
  }

  /** Lists and indexes only the newest version of an incident. Returns false for an older version. */
  #replaceNewest(
    incident: { readonly id: string; readonly version: number },
    lastSeen: number,
    record: number,
  ): boolean {
    const newest = this.#newest.get(incident.id);
    if (newest !== undefined && newest.version >= incident.version) return false;
    if (newest !== undefined) this.#unindex.run(newest.record);
    this.#incident.run(incident.id, incident.version, lastSeen, record);
    return true;
  }
}
