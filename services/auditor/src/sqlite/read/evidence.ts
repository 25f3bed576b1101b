import type { AuditKind } from '@ringfence/wire';
import { kindNumber, kindOf } from '../../chain.ts';
import {
  type ChainedRecord,
  type ChainLinks,
  type Evidence,
  LinkBudget,
  MAX_RECORDS_OF_KIND,
  withinLimit,
} from '../../evidence.ts';
import { unpack } from '../../packing.ts';
import { dossierIn } from './dossier.ts';
import { hashesOf } from './hashes.ts';
import type { Trail } from './trail.ts';

interface ChainedRow {
  readonly record: number;
  readonly chain: number;
  readonly topic: string;
  readonly partition: number;
  readonly kind: number;
  readonly seq: number;
  readonly id: string;
  readonly timestamp: number;
  readonly host: string;
  readonly offset: number;
  readonly prev: Buffer;
  readonly hash: Buffer;
  readonly size: number;
  readonly packed: number;
  readonly payload: Buffer;
}

const SELECT = `SELECT r.record, r.chain, c.topic, c.partition, r.kind, r.seq, r.id, r.timestamp, r.host,
  r.source_offset AS offset, r.prev_hash AS prev, r.hash, r.size, r.packed, r.payload
  FROM records r JOIN chains c ON c.chain = r.chain`;

/** Returns an incident with its records as they are chained, or undefined when it does not exist. */
export function evidenceOf(trail: Trail, id: string): Evidence | undefined {
  // Read in one transaction, so that records and links are consistent while the trail is written.
  return trail.guard(() => trail.db.transaction(() => gather(trail, id))());
}

function gather(trail: Trail, id: string): Evidence | undefined {
  const dossier = dossierIn(trail, id);
  if (dossier === undefined) return undefined;
  const rows = new Map<number, ChainedRow>();
  const take = (found: readonly ChainedRow[]): void => {
    for (const row of found) rows.set(row.record, row);
  };
  const byId = trail.db.prepare<[number, string], ChainedRow>(`${SELECT} WHERE r.kind = ? AND r.id = ?`);
  const takeIds = (kind: AuditKind, ids: readonly string[]): void =>
    take(ids.flatMap((recordId) => byId.all(kindNumber[kind], recordId)));
  const versions = versionsOf(trail, id);
  take(versions);
  takeIds(
    'alert',
    dossier.incident.alerts.map((alert) => alert.id),
  );
  takeIds(
    'command',
    dossier.commands.map((command) => command.id),
  );
  takeIds(
    'result',
    dossier.commands.map((command) => command.id),
  );
  takeIds('execution', dossier.executionIds);
  take(heldOf(trail, id));
  take(actionsOn(trail, id));
  const ordered = [...rows.values()].sort((a, b) => a.record - b.record);
  const { records, omitted } = withinLimit(ordered.map(recordOf));
  const left = dossier.omittedExecutions + Math.max(0, dossier.versions - versions.length);
  const hashes = hashesOf(trail, dossier.incident);
  return { dossier, records, links: linksOf(trail, ordered), hashes, omitted: omitted + left };
}

/** The ids of versions are `id/1`, `id/2` and so on; `0` is the character after `/`. */
const versionsOf = ({ db }: Trail, id: string): ChainedRow[] =>
  db
    .prepare<[number, string, string], ChainedRow>(
      `${SELECT} WHERE r.kind = ? AND r.id >= ? AND r.id < ? ORDER BY r.record LIMIT ${MAX_RECORDS_OF_KIND}`,
    )
    .all(kindNumber.incident, `${id}/`, `${id}0`);

/** What a hold keeps of the incident's events and executions. */
const heldOf = ({ db }: Trail, id: string): ChainedRow[] =>
  db
    .prepare<[number, string, string], ChainedRow>(
      `${SELECT} WHERE r.kind = ? AND r.id >= ? AND r.id < ? ORDER BY r.record LIMIT ${MAX_RECORDS_OF_KIND}`,
    )
    .all(kindNumber.held, `${id}/`, `${id}0`);

const actionsOn = ({ db }: Trail, id: string): ChainedRow[] =>
  db
    .prepare<[string, number], ChainedRow>(
      `${SELECT} JOIN causes k ON k.record = r.record WHERE k.cause = ? AND r.kind = ?
       ORDER BY r.record DESC LIMIT ${MAX_RECORDS_OF_KIND}`,
    )
    .all(id, kindNumber.operator);

function recordOf(row: ChainedRow): ChainedRecord {
  const { topic, partition, seq, id, timestamp, host: hostId, offset, prev: prevHash, hash } = row;
  const kind = kindOf(row.kind) ?? 'events';
  const payload = unpack(row.payload, row.packed, row.size);
  return { topic, partition, kind, seq, id, timestamp, hostId, offset, prevHash, hash, payload };
}

function linksOf({ db }: Trail, rows: readonly ChainedRow[]): ChainLinks[] {
  const select = db.prepare<[number, number, number], { hash: Buffer }>(
    'SELECT hash FROM records WHERE chain = ? AND seq BETWEEN ? AND ? ORDER BY seq',
  );
  const headOf = db.prepare<[number], { head: number }>('SELECT head_seq AS head FROM chains WHERE chain = ?');
  const budget = new LinkBudget();
  return [...Map.groupBy(rows, ({ chain }) => chain)].flatMap(([chain, group]) => {
    const { topic, partition, kind } = group[0] as ChainedRow;
    const head = headOf.get(chain)?.head ?? 0;
    return budget.partsOf(group.map(({ seq }) => seq)).map(({ first: from, last }) => {
      const hashes = select.all(chain, from, last).map(({ hash }) => hash);
      return { topic, partition, kind: kindOf(kind) ?? 'events', from, hashes, head };
    });
  });
}
