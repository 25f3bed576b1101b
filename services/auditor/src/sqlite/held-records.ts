import type { AuditKind } from '@ringfence/wire';
import { kindNumber, kindOf } from '../chain.ts';
import { unpack } from '../packing.ts';
import type { AuditEntry } from '../sink.ts';
import type { Sqlite } from './database.ts';
import { unpackKeys } from './entity-keys.ts';
import type { HeldScope, Holds } from './holds.ts';
import type { RecordWriter } from './record-writer.ts';

interface Row {
  readonly kind: number;
  readonly id: string;
  readonly timestamp: number;
  readonly until: number;
  readonly host: string;
  readonly offset: number;
  readonly kinds: number;
  readonly events: number;
  readonly size: number;
  readonly packed: number;
  readonly payload: Buffer;
}

/** Topic of the chain that has what a hold keeps: retention cuts a chain at its beginning only, so it is its own. */
export const heldTopic = (incident: string): string => `held/${incident}`;

/** Moves records of held incidents into chains of their own when retention drops them, inside its transaction. */
export class HeldRecords {
  readonly #db: Sqlite;
  readonly #holds: Holds;
  readonly #writer: RecordWriter;
  readonly #select;
  #bytes: number;

  constructor(db: Sqlite, holds: Holds, writer: RecordWriter) {
    this.#db = db;
    this.#holds = holds;
    this.#writer = writer;
    this.#select = db.prepare<[number], Row>(
      `SELECT kind, id, timestamp, until, host, source_offset AS offset, event_kinds AS kinds, events, size, packed, payload
       FROM records WHERE record = ?`,
    );
    this.#bytes = this.#storedBytes();
  }

  /** Bytes of all records that holds keep. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Keeps a record that is about to be dropped for each incident that holds it. Returns whether a hold had no room
   * for it.
   */
  keep(record: number, kind: AuditKind, entities: Buffer): { readonly isLost: boolean } {
    const scopes = this.#holds.scopes();
    if (scopes.size === 0 || (kind !== 'events' && kind !== 'execution')) return { isLost: false };
    const keys = unpackKeys(entities);
    const holders = [...scopes.values()].filter((scope) => keys.some((key) => scope.keys.has(key)));
    let isLost = false;
    for (const scope of holders) isLost = !this.#keepFor(scope, record) || isLost;
    return { isLost };
  }

  /** Returns false when there is no room. */
  #keepFor({ incident, from, to }: HeldScope, record: number): boolean {
    const row = this.#select.get(record);
    if (row === undefined) return true;
    const kind = kindOf(row.kind) ?? 'events';
    if (kind === 'events' && (row.until < from || row.timestamp > to)) return true;
    if (this.#bytes + row.payload.length > this.#holds.maxBytes) return false;
    const { id, timestamp, until, host: hostId, offset, kinds: eventKinds, events: eventCount } = row;
    const entry: AuditEntry = {
      ...{ kind: 'held', id: `${incident}/${kind}/${id}`, topic: heldTopic(incident), partition: 0, offset },
      ...{ timestamp, until, hostId, eventKinds, eventCount, entities: [], text: '', cause: '', incident: null },
      payload: unpack(row.payload, row.packed, row.size),
    };
    const written = this.#writer.write(entry);
    if (written.outcome === 'stored') this.#bytes += written.bytes;
    return true;
  }

  /** Drops what the hold of an incident kept. The end of its chain stays, so that a later hold continues it. */
  release(incident: string): { readonly count: number; readonly events: number; readonly bytes: number } {
    const topic = heldTopic(incident);
    const sums = this.#db
      .prepare<[number, string], { count: number; events: number | null; bytes: number | null }>(
        `SELECT count(*) AS count, sum(events) AS events, sum(length(payload)) AS bytes FROM records
         WHERE kind = ? AND chain IN (SELECT chain FROM chains WHERE topic = ?)`,
      )
      .get(kindNumber.held, topic);
    this.#db.prepare('DELETE FROM records WHERE chain IN (SELECT chain FROM chains WHERE topic = ?)').run(topic);
    this.#db.prepare('UPDATE chains SET base_seq = head_seq, base_hash = head_hash WHERE topic = ?').run(topic);
    this.#bytes = this.#storedBytes();
    return { count: sums?.count ?? 0, events: sums?.events ?? 0, bytes: sums?.bytes ?? 0 };
  }

  #storedBytes(): number {
    return (
      this.#db
        .prepare<[number], { bytes: number | null }>('SELECT sum(length(payload)) AS bytes FROM records WHERE kind = ?')
        .get(kindNumber.held)?.bytes ?? 0
    );
  }
}
