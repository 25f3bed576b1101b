import {
  type Alert,
  type AuditKind,
  type Command,
  decode,
  EventView,
  type Incident,
  type RecordTypes,
  type Result,
} from '@ringfence/wire';
import { kindNumber } from '../../chain.ts';
import { entityKey } from '../entity-keys.ts';
import { COLUMNS, payloadOf, type Row, type Trail } from './trail.ts';

export interface IncidentDossier {
  readonly incident: Incident;
  /** Number of published versions */
  readonly versions: number;
  readonly alerts: readonly Alert[];
  readonly commands: readonly Command[];
  readonly results: readonly Result[];
  /** Framed EventBatch records with one Exec each, of the incident's processes, oldest first; at most 10,000 */
  readonly executions: readonly Buffer[];
}

interface Execution {
  readonly id: string;
  readonly timestamp: number;
  readonly payload: Buffer;
}

const MAX_EXECUTIONS = 10_000;
const MAX_ENTITIES = 4096;

/** With the ids of the records of executions, and how many more there are. */
export interface ListedDossier extends IncidentDossier {
  readonly executionIds: readonly string[];
  readonly omittedExecutions: number;
}

/** Returns an incident with the records that belong to it, or undefined when it does not exist. */
export function dossierOf(trail: Trail, id: string): IncidentDossier | undefined {
  // Read in one transaction, so that the records are consistent while the trail is written.
  const found = trail.guard(() => trail.db.transaction(() => dossierIn(trail, id))());
  if (found === undefined) return undefined;
  const { executionIds: _, omittedExecutions: __, ...dossier } = found;
  return dossier;
}

/** As `dossierOf`, within the caller's transaction. */
export const dossierIn = (trail: Trail, id: string): ListedDossier | undefined => new Dossier(trail, id).gather();

class Dossier {
  readonly #trail: Trail;
  readonly #id: string;

  constructor(trail: Trail, id: string) {
    this.#trail = trail;
    this.#id = id;
  }

  gather(): ListedDossier | undefined {
    const row = this.#trail.db
      .prepare<[string], Row>(`SELECT ${COLUMNS} FROM incidents i JOIN records r ON r.record = i.record WHERE i.id = ?`)
      .get(this.#id);
    if (row === undefined) return undefined;
    const incident = decode('Incident', payloadOf(row));
    const alerts = incident.alerts.flatMap(({ id }) => this.#byId('alert', 'Alert', id));
    const causes = [this.#id, ...incident.alerts.map(({ id }) => id)];
    const commands = causes.flatMap((cause) => this.#commandsFor(cause));
    const results = commands.flatMap((command) => this.#byId('result', 'Result', command.id));
    const versions = this.#versions();
    return { incident, versions, alerts, commands, results, ...this.#executionsOf(incident) };
  }

  #byId<N extends 'Alert' | 'Result'>(kind: AuditKind, name: N, id: string): RecordTypes[N][] {
    const row = this.#trail.db
      .prepare<[number, string], Row>(`SELECT ${COLUMNS} FROM records r WHERE r.kind = ? AND r.id = ?`)
      .get(kindNumber[kind], id);
    return row === undefined ? [] : [decode(name, payloadOf(row))];
  }

  #commandsFor(cause: string): Command[] {
    return this.#trail.db
      .prepare<[string, number], Row>(
        `SELECT ${COLUMNS} FROM causes c JOIN records r ON r.record = c.record WHERE c.cause = ? AND r.kind = ?`,
      )
      .all(cause, kindNumber.command)
      .map((row) => decode('Command', payloadOf(row)));
  }

  /** The ids of versions are `id/1`, `id/2` and so on; `0` is the character after `/`. */
  #versions(): number {
    return (
      this.#trail.db
        .prepare<[number, string, string], { count: number }>(
          'SELECT count(*) AS count FROM records WHERE kind = ? AND id >= ? AND id < ?',
        )
        .get(kindNumber.incident, `${this.#id}/`, `${this.#id}0`)?.count ?? 0
    );
  }

  #executionsOf(incident: Incident): Pick<ListedDossier, 'executions' | 'executionIds' | 'omittedExecutions'> {
    const found = new Map<number, Execution>();
    let omittedExecutions = 0;
    const add = (record: number, execution: Execution): void => {
      if (found.size < MAX_EXECUTIONS || found.has(record)) found.set(record, execution);
      else omittedExecutions++;
    };
    for (const [record, execution] of this.#heldExecutions()) add(record, execution);
    for (const { entityId } of incident.processes.slice(0, MAX_ENTITIES))
      for (const [record, execution] of this.#executionsBy(entityId)) add(record, execution);
    const ordered = [...found].sort(([recordA, a], [recordB, b]) => a.timestamp - b.timestamp || recordA - recordB);
    const executions = ordered.map(([, { payload }]) => payload);
    return { executions, executionIds: ordered.map(([, { id }]) => id), omittedExecutions };
  }

  /** What a hold of the incident keeps: `0` is the character after `/`. */
  #heldExecutions(): [number, Execution][] {
    const rows = this.#trail.db
      .prepare<[number, string, string], Row>(
        `SELECT ${COLUMNS} FROM records r WHERE r.kind = ? AND r.id >= ? AND r.id < ? LIMIT ${MAX_EXECUTIONS}`,
      )
      .all(kindNumber.held, `${this.#id}/execution/`, `${this.#id}/execution0`);
    return rows.map((row) => [row.record, { id: row.id, timestamp: row.timestamp, payload: payloadOf(row) }]);
  }

  *#executionsBy(entityId: string): Generator<[number, Execution]> {
    const key = entityKey(entityId);
    if (key === null) return;
    const rows = this.#trail.db
      .prepare<[number, number], Row>(
        `SELECT ${COLUMNS} FROM entities e JOIN records r ON r.record = e.record
         WHERE e.entity = ? AND e.kind = ? LIMIT ${MAX_EXECUTIONS}`,
      )
      .all(key, kindNumber.execution);
    const view = new EventView();
    for (const row of rows) {
      const payload = payloadOf(row);
      view.open(payload);
      // The index holds only a prefix of the entity id.
      if (view.next() && view.process?.entityId === entityId) {
        const { id, timestamp } = row;
        yield [row.record, { id, timestamp, payload }];
      }
    }
  }
}
