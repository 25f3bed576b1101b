import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Alert,
  type AuditKind,
  type Command,
  type DeadLetter,
  decode,
  EventView,
  type Incident,
  type RecordTypes,
  type Result,
} from '@ringfence/schema';
import type { AuditDropCause } from '../sink.ts';
import { kindNumber, kindOf } from './chain.ts';
import { openForReading, type Sqlite, storageError } from './database.ts';
import { entityKey } from './entity-keys.ts';
import { unpack } from './packing.ts';
import { matchExpression } from './search-expression.ts';
import { type ChainHead, type Verification, verifyTrail } from './verify.ts';

/** Times are µs since the epoch, both ends included. */
export interface TimeRange {
  readonly from?: number;
  readonly to?: number;
  readonly hostId?: string;
}

export interface ListQuery<T> extends TimeRange {
  /** the newest this many, shown oldest first. @default 1000 */
  readonly limit?: number;
  readonly where?: (item: T) => boolean;
  /** go on with what is stored from now on, until `signal`. @default false */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

export interface EventQuery extends TimeRange {
  /** hex: only events of this process */
  readonly entityId?: string;
  /** bit n: events of kind n (KIND). @default all */
  readonly eventKinds?: number;
}

export interface IncidentDossier {
  readonly incident: Incident;
  /** how often it was published */
  readonly versions: number;
  readonly alerts: readonly Alert[];
  readonly commands: readonly Command[];
  readonly results: readonly Result[];
  /** framed EventBatch records of one Exec each, of the incident's processes, oldest first */
  readonly executions: readonly Buffer[];
}

export interface SearchHit {
  readonly kind: AuditKind;
  readonly id: string;
  readonly timestamp: number;
  readonly hostId: string;
  /** the framed record: of an execution or gap, an EventBatch of one event */
  readonly payload: Buffer;
}

export interface TrailStats {
  /** held now */
  readonly counts: Readonly<Record<AuditKind, number>>;
  readonly dropped: readonly {
    readonly kind: AuditKind;
    readonly cause: AuditDropCause;
    readonly count: number;
    readonly bytes: number;
  }[];
  readonly fileBytes: number;
}

interface Row {
  readonly record: number;
  readonly kind: number;
  readonly id: string;
  readonly timestamp: number;
  readonly host: string;
  readonly size: number;
  readonly packed: number;
  readonly payload: Buffer;
}

const COLUMNS = 'r.record, r.kind, r.id, r.timestamp, r.host, r.size, r.packed, r.payload';
const FOLLOW_POLL_MS = 100;
const MAX_EXECUTIONS = 10_000;
const MAX_ENTITIES = 4096;

/** Reads the trail while it is written, from any process. Every method throws the errors of errors.ts. */
export class AuditReader implements Disposable {
  readonly #path: string;
  readonly #db: Sqlite;

  constructor(path: string) {
    this.#path = path;
    this.#db = openForReading(path);
  }

  alerts(query: ListQuery<Alert> = {}): AsyncGenerator<Alert, void, undefined> {
    return this.#list('alert', 'Alert', query);
  }

  commands(query: ListQuery<Command> = {}): AsyncGenerator<Command, void, undefined> {
    return this.#list('command', 'Command', query);
  }

  results(query: ListQuery<Result> = {}): AsyncGenerator<Result, void, undefined> {
    return this.#list('result', 'Result', query);
  }

  deadLetters(query: ListQuery<DeadLetter> = {}): AsyncGenerator<DeadLetter, void, undefined> {
    return this.#list('dlq', 'DeadLetter', query);
  }

  /** The newest version of each; with `follow` every version that comes. */
  incidents(query: ListQuery<Incident> = {}): AsyncGenerator<Incident, void, undefined> {
    return this.#list('incident', 'Incident', query);
  }

  async *#list<N extends 'Alert' | 'Command' | 'Result' | 'DeadLetter' | 'Incident'>(
    kind: AuditKind,
    name: N,
    query: ListQuery<RecordTypes[N]>,
  ): AsyncGenerator<RecordTypes[N], void, undefined> {
    let after = this.#lastRecord();
    yield* this.#newest(kind, name, query, after);
    if (query.follow !== true) return;
    while (query.signal?.aborted !== true) {
      // Asked before the rows: what is stored in between then counts as a change.
      const version = this.#version();
      const rows = this.#since(kind, after);
      for (const row of rows) {
        const item = decode(name, payloadOf(row));
        if (isIn(query, row) && query.where?.(item) !== false) yield item;
        after = row.record;
      }
      if (rows.length === 0) await this.#change(version, query.signal);
    }
  }

  #newest<N extends 'Alert' | 'Command' | 'Result' | 'DeadLetter' | 'Incident'>(
    kind: AuditKind,
    name: N,
    query: ListQuery<RecordTypes[N]>,
    last: number,
  ): RecordTypes[N][] {
    const limit = query.limit ?? 1000;
    if (limit <= 0) return [];
    const only = kind === 'incident' ? 'AND r.record IN (SELECT record FROM incidents)' : '';
    const rows = this.#guard(() =>
      this.#db
        .prepare<[number, number, number, number], Row>(
          `SELECT ${COLUMNS} FROM records r WHERE r.kind = ? AND r.timestamp BETWEEN ? AND ? AND r.record <= ? ${only}
           ORDER BY r.timestamp DESC, r.record DESC`,
        )
        .iterate(kindNumber[kind], query.from ?? -Infinity, query.to ?? Infinity, last),
    );
    const found: RecordTypes[N][] = [];
    for (const row of rows) {
      if (!isIn(query, row)) continue;
      const item = decode(name, payloadOf(row));
      if (query.where?.(item) === false) continue;
      found.push(item);
      if (found.length >= limit) break;
    }
    return found.reverse();
  }

  #lastRecord(): number {
    return this.#guard(
      () => this.#db.prepare<[], { last: number | null }>('SELECT max(record) AS last FROM records').get()?.last ?? 0,
    );
  }

  #since(kind: AuditKind, after: number): Row[] {
    return this.#guard(() =>
      this.#db
        .prepare<[number, number], Row>(
          `SELECT ${COLUMNS} FROM records r WHERE r.record > ? AND +r.kind = ? ORDER BY r.record LIMIT 1000`,
        )
        .all(after, kindNumber[kind]),
    );
  }

  #version(): unknown {
    return this.#guard(() => this.#db.pragma('data_version', { simple: true }));
  }

  /** Waits until another connection has written since `version`, or `signal` aborts. */
  async #change(version: unknown, signal: AbortSignal | undefined): Promise<void> {
    while (signal?.aborted !== true && this.#version() === version) {
      await sleep(FOLLOW_POLL_MS, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
        if (signal?.aborted !== true) throw error;
      });
    }
  }

  /** An incident and all that belongs to it; undefined: there is none of this id. */
  incident(id: string): IncidentDossier | undefined {
    return this.#guard(() => {
      const row = this.#db
        .prepare<[string], Row>(
          `SELECT ${COLUMNS} FROM incidents i JOIN records r ON r.record = i.record WHERE i.id = ?`,
        )
        .get(id);
      if (row === undefined) return undefined;
      const incident = decode('Incident', payloadOf(row));
      const alerts = incident.alerts.flatMap((alert) => this.#byId('alert', 'Alert', alert.id));
      const commands = [id, ...incident.alerts.map((alert) => alert.id)].flatMap((cause) => this.#commandsFor(cause));
      const results = commands.flatMap((command) => this.#byId('result', 'Result', command.id));
      return {
        incident,
        versions: this.#versions(id),
        alerts,
        commands,
        results,
        executions: this.#executionsOf(incident),
      };
    });
  }

  #byId<N extends 'Alert' | 'Result'>(kind: AuditKind, name: N, id: string): RecordTypes[N][] {
    const row = this.#db
      .prepare<[number, string], Row>(`SELECT ${COLUMNS} FROM records r WHERE r.kind = ? AND r.id = ?`)
      .get(kindNumber[kind], id);
    return row === undefined ? [] : [decode(name, payloadOf(row))];
  }

  #commandsFor(cause: string): Command[] {
    return this.#db
      .prepare<[string], Row>(`SELECT ${COLUMNS} FROM causes c JOIN records r ON r.record = c.record WHERE c.cause = ?`)
      .all(cause)
      .map((row) => decode('Command', payloadOf(row)));
  }

  /** Ids of versions are `id/1`, `id/2`, …: `0` is the character after the slash. */
  #versions(id: string): number {
    return (
      this.#db
        .prepare<[number, string, string], { count: number }>(
          'SELECT count(*) AS count FROM records WHERE kind = ? AND id >= ? AND id < ?',
        )
        .get(kindNumber.incident, `${id}/`, `${id}0`)?.count ?? 0
    );
  }

  #executionsOf(incident: Incident): Buffer[] {
    const view = new EventView();
    const records = new Map<number, Row>();
    for (const { entityId } of incident.processes.slice(0, MAX_ENTITIES)) {
      for (const row of this.#ofEntity(entityId, 'execution')) {
        const payload = payloadOf(row);
        view.open(payload);
        if (view.next() && view.process?.entityId === entityId) records.set(row.record, row);
        if (records.size >= MAX_EXECUTIONS) break;
      }
    }
    return [...records.values()].sort((a, b) => a.timestamp - b.timestamp || a.record - b.record).map(payloadOf);
  }

  #ofEntity(entityId: string, kind: AuditKind): Row[] {
    const key = entityKey(entityId);
    if (key === null) return [];
    return this.#db
      .prepare<[number, number], Row>(
        `SELECT ${COLUMNS} FROM entities e JOIN records r ON r.record = e.record WHERE e.entity = ? AND e.kind = ? LIMIT ${MAX_EXECUTIONS}`,
      )
      .all(key, kindNumber[kind]);
  }

  /**
   * Events in the order of their batches. The view is the same one for all: take what you need before the next. Batches without an event in
   * question are not unpacked.
   */
  *events(query: EventQuery = {}): Generator<EventView, void, undefined> {
    const from = query.from ?? Number.NEGATIVE_INFINITY;
    const to = query.to ?? Number.POSITIVE_INFINITY;
    const kinds = query.eventKinds ?? 0x7fffffff;
    const view = new EventView();
    for (const row of this.#batches(query, from, to, kinds)) {
      view.open(payloadOf(row));
      while (view.next()) {
        const { timestamp } = view;
        if (timestamp < from || timestamp > to || (kinds & (1 << view.cursor.kind)) === 0) continue;
        if (query.entityId !== undefined && view.process?.entityId !== query.entityId) continue;
        yield view;
      }
    }
  }

  *#batches(query: EventQuery, from: number, to: number, kinds: number): Generator<Row, void, undefined> {
    const span =
      this.#guard(() =>
        this.#db
          .prepare<[number], { span: number | null }>('SELECT max(span) AS span FROM chains WHERE kind = ?')
          .get(kindNumber.events),
      )?.span ?? 0;
    const key = query.entityId === undefined ? undefined : entityKey(query.entityId);
    if (key === null) return;
    const byEntity =
      key === undefined ? '' : 'AND r.record IN (SELECT record FROM entities WHERE entity = @key AND kind = @kind)';
    const byHost = query.hostId === undefined ? '' : 'AND r.host = @hostId';
    // Positions first, payloads one by one: a reader that is slow must not hold the write-ahead log.
    const records = this.#guard(() =>
      this.#db
        .prepare<[object], { record: number }>(
          `SELECT r.record FROM records r WHERE r.kind = @kind AND r.timestamp BETWEEN @since AND @to AND r.until >= @from
           AND (r.event_kinds & @kinds) <> 0 ${byHost} ${byEntity} ORDER BY r.timestamp, r.record`,
        )
        .all({
          kind: kindNumber.events,
          since: from - span,
          from,
          to,
          kinds,
          ...(key === undefined ? {} : { key }),
          ...(query.hostId === undefined ? {} : { hostId: query.hostId }),
        }),
    );
    const select = this.#db.prepare<[number], Row>(`SELECT ${COLUMNS} FROM records r WHERE r.record = ?`);
    for (const { record } of records) {
      const row = this.#guard(() => select.get(record));
      if (row !== undefined) yield row;
    }
  }

  /** Full-text search, newest first: all words must be there; a word with `*` at its end is a beginning. Throws AuditQueryError for an empty one. */
  search(text: string, limit = 100): SearchHit[] {
    const expression = matchExpression(text);
    return this.#guard(() =>
      this.#db
        .prepare<[string, number], Row>(
          `SELECT ${COLUMNS} FROM search s JOIN records r ON r.record = s.rowid WHERE s.search MATCH ? ORDER BY s.rowid DESC LIMIT ?`,
        )
        .all(expression, limit),
    ).flatMap((row) => {
      const kind = kindOf(row.kind);
      return kind === undefined
        ? []
        : [{ kind, id: row.id, timestamp: row.timestamp, hostId: row.host, payload: payloadOf(row) }];
    });
  }

  stats(): TrailStats {
    return this.#guard(() => {
      const counts = Object.fromEntries(Object.keys(kindNumber).map((kind) => [kind, 0])) as Record<AuditKind, number>;
      const rows = this.#db
        .prepare<[], { kind: number; held: number }>(
          'SELECT kind, sum(head_seq - base_seq) AS held FROM chains GROUP BY kind',
        )
        .all();
      for (const { kind, held } of rows) {
        const name = kindOf(kind);
        if (name !== undefined) counts[name] = held;
      }
      const dropped = this.#db
        .prepare<[], { kind: number; cause: AuditDropCause; count: number; bytes: number }>('SELECT * FROM drops')
        .all()
        .flatMap(({ kind, ...drop }) => {
          const name = kindOf(kind);
          return name === undefined ? [] : [{ kind: name, ...drop }];
        });
      const pages = this.#db.pragma('page_count', { simple: true }) as number;
      return { counts, dropped, fileBytes: pages * (this.#db.pragma('page_size', { simple: true }) as number) };
    });
  }

  /** Walks every chain and tells what was changed, taken out, put in or cut off. `anchors`: heads noted earlier and kept elsewhere. */
  verify(anchors: readonly ChainHead[] = []): Verification {
    return this.#guard(() => verifyTrail(this.#db, anchors));
  }

  #guard<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw storageError(this.#path, error);
    }
  }

  close(): void {
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function payloadOf(row: Pick<Row, 'payload' | 'packed' | 'size'>): Buffer {
  return unpack(row.payload, row.packed, row.size);
}

function isIn(query: TimeRange, row: Pick<Row, 'timestamp' | 'host'>): boolean {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, hostId } = query;
  return row.timestamp >= from && row.timestamp <= to && (hostId === undefined || row.host === hostId);
}
