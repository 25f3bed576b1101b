import { decode, type Incident, type OperatorAction } from '@ringfence/wire';
import { kindNumber } from '../chain.ts';
import type { Hold } from '../hold.ts';
import { unpack } from '../packing.ts';
import type { Sqlite } from './database.ts';
import { entityKey } from './entity-keys.ts';
import { storedHold, storedHolds } from './read/hold.ts';

/** Events of this time before the first and after the last alert of an incident belong to it, µs. */
const MARGIN_US = 600_000_000;
const MAX_HOLDS = 1000;
const MAX_PROCESSES = 4096;
/** Incidents that were merged into each other, one after the other */
const MAX_MERGES = 16;

/** What a hold keeps of the records that retention drops. */
export interface HeldScope {
  readonly incident: string;
  /** With the incidents that it was merged into, one after the other */
  readonly members: readonly string[];
  /** Keys of the incident's processes in the index */
  readonly keys: ReadonlySet<number>;
  /** Time of event batches, µs since the epoch; executions are kept whenever they were */
  readonly from: number;
  readonly to: number;
}

/**
 * The legal holds of a trail. The record of an operator is the hold: it is applied when it is stored, in the same
 * transaction.
 */
export class Holds {
  readonly #db: Sqlite;
  readonly #maxBytes: number;
  readonly #newest;
  readonly #put;
  /** By incident; undefined: to be read again */
  #scopes: Map<string, HeldScope> | undefined;

  /** @param maxBytes most bytes that all holds keep together */
  constructor(db: Sqlite, maxBytes: number) {
    this.#db = db;
    this.#maxBytes = maxBytes;
    db.exec(
      `CREATE TABLE IF NOT EXISTS holds (incident TEXT PRIMARY KEY, state TEXT NOT NULL, reason TEXT NOT NULL,
       action TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID`,
    );
    this.#newest = db.prepare<[string], { size: number; packed: number; payload: Buffer }>(
      'SELECT r.size, r.packed, r.payload FROM incidents i JOIN records r ON r.record = i.record WHERE i.id = ?',
    );
    this.#put = db.prepare('INSERT OR REPLACE INTO holds (incident, state, reason, action, at) VALUES (?, ?, ?, ?, ?)');
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** The scopes of the incidents that are held, by incident. */
  scopes(): ReadonlyMap<string, HeldScope> {
    this.#scopes ??= new Map(
      storedHolds(this.#db)
        .filter(({ state }) => state === 'held')
        .map(({ incident }) => [incident, this.#scopeOf(incident)]),
    );
    return this.#scopes;
  }

  /** A new version of an incident may have more processes, or be merged into another one. */
  incidentStored(incident: string): void {
    for (const scope of this.#scopes?.values() ?? [])
      if (scope.members.includes(incident)) this.#scopes?.set(scope.incident, this.#scopeOf(scope.incident));
  }

  /**
   * Applies the action of an operator, if it is about a hold. Returns the incident whose kept records go.
   *
   * @param usedBytes that all holds keep now
   */
  apply(payload: Uint8Array, usedBytes: number): { readonly released: string | null } {
    const action = decode('OperatorAction', payload);
    const { target } = action;
    if (action.action === 'incident.hold') this.#save(action, this.#refusalOf(target, usedBytes));
    if (action.action !== 'incident.release') return { released: null };
    const isHeld = storedHold(this.#db, target)?.state === 'held';
    this.#save(action, isHeld ? null : `${target} is not held`, 'released');
    return { released: isHeld ? target : null };
  }

  #save({ id, target, reason, at }: OperatorAction, refusal: string | null, state: Hold['state'] = 'held'): void {
    // A refused request changes nothing of a hold that is in force.
    const before = storedHold(this.#db, target);
    if (refusal === null) this.#put.run(target, state, reason, id, at);
    else if (before?.state === 'held') this.#put.run(target, 'held', before.reason, id, before.at);
    else this.#put.run(target, 'refused', refusal, id, at);
    this.#scopes = undefined;
  }

  /** Returns why an incident can't be held, or null. */
  #refusalOf(incident: string, usedBytes: number): string | null {
    if (this.#incident(incident) === null) return `there is no incident ${incident}`;
    const others = [...this.scopes().keys()].filter((held) => held !== incident);
    if (others.length >= MAX_HOLDS) return `${MAX_HOLDS} incidents are held: release one of them`;
    const needed = this.#bytesOf(this.#scopeOf(incident));
    if (usedBytes + needed <= this.#maxBytes) return null;
    return `its events and executions have ${needed} bytes, holds keep ${usedBytes} already, and auditor.holdMaxBytes allows ${this.#maxBytes}`;
  }

  #incident(id: string): Incident | null {
    const row = this.#newest.get(id);
    return row === undefined ? null : decode('Incident', unpack(row.payload, row.packed, row.size));
  }

  /** With the incidents that it was merged into, which go on with its evidence. */
  #scopeOf(id: string): HeldScope {
    const keys = new Set<number>();
    const members: string[] = [];
    let from = Number.POSITIVE_INFINITY;
    let to = Number.NEGATIVE_INFINITY;
    let next = id;
    for (let merges = 0; next !== '' && merges < MAX_MERGES; merges++) {
      members.push(next);
      const incident = this.#incident(next);
      if (incident === null) break;
      from = Math.min(from, incident.firstSeen - MARGIN_US);
      to = Math.max(to, incident.lastSeen + MARGIN_US);
      for (const { entityId } of incident.processes.slice(0, MAX_PROCESSES)) {
        const key = entityKey(entityId);
        if (key !== null) keys.add(key);
      }
      next = incident.state === 'merged' ? incident.mergedInto : '';
    }
    return { incident: id, members, keys, from, to };
  }

  /** Bytes of the events and executions that retention would have to keep. */
  #bytesOf({ keys, from, to }: HeldScope): number {
    const select = this.#db.prepare<[number, number, number, number, number], { record: number; bytes: number }>(
      `SELECT r.record, length(r.payload) AS bytes FROM entities e JOIN records r ON r.record = e.record
       WHERE e.entity = ? AND (e.kind = ? OR (e.kind = ? AND r.timestamp <= ? AND r.until >= ?))`,
    );
    const found = new Map<number, number>();
    for (const key of keys)
      for (const { record, bytes } of select.iterate(key, kindNumber.execution, kindNumber.events, to, from))
        found.set(record, bytes);
    return [...found.values()].reduce((sum, bytes) => sum + bytes, 0);
  }
}
