import type { KeyObject } from 'node:crypto';
import type { InRecord } from '@ringfence/bus';
import { alertBody, commandBody, type Document, incidentBody, operatorBody, resultBody } from '@ringfence/ecs';
import { decode, type Incident, OPERATOR_ROLES, type Role, TOPIC, verifyRecord } from '@ringfence/wire';
import { SinkForgedError } from '../errors.ts';
import type { Item, ItemKind, ItemRecords } from '../sink.ts';

/** Finds the keys whose records of a role are accepted. Null: the embedded log, whose records are unsigned. */
export type TrustedKeys = ((role: Role) => (keyId: string, at?: number) => KeyObject | undefined) | null;

interface Source<K extends ItemKind> {
  readonly kind: K;
  readonly schema: 'Alert' | 'Incident' | 'Command' | 'Result' | 'OperatorAction';
  /** Roles that write the records */
  readonly roles: readonly Role[];
  readonly idOf: (record: ItemRecords[K]) => string;
  readonly groupOf: (record: ItemRecords[K]) => string;
  /** µs since the epoch */
  readonly timeOf: (record: ItemRecords[K]) => number;
}

const SOURCES: Readonly<Record<string, { readonly [K in ItemKind]: Source<K> }[ItemKind]>> = {
  [TOPIC.alerts]: {
    kind: 'alert',
    schema: 'Alert',
    roles: ['detector'],
    idOf: ({ id }) => id,
    groupOf: ({ id, incident }) => incident || id,
    timeOf: ({ timestamp }) => timestamp,
  },
  [TOPIC.incidents]: {
    kind: 'incident',
    schema: 'Incident',
    roles: ['detector'],
    idOf: ({ id, version }) => `${id}/${version}`,
    groupOf: ({ id }) => id,
    timeOf: ({ lastSeen }) => lastSeen,
  },
  [TOPIC.commands]: {
    kind: 'command',
    schema: 'Command',
    roles: ['responder'],
    idOf: ({ id }) => `command/${id}`,
    groupOf: ({ cause }) => cause,
    timeOf: ({ issuedAt }) => issuedAt,
  },
  [TOPIC.results]: {
    kind: 'result',
    schema: 'Result',
    roles: ['responder'],
    idOf: ({ id }) => `result/${id}`,
    groupOf: ({ id }) => id,
    timeOf: ({ at }) => at,
  },
  [TOPIC.operator]: {
    kind: 'operator',
    schema: 'OperatorAction',
    roles: OPERATOR_ROLES,
    idOf: ({ id }) => `operator/${id}`,
    groupOf: ({ id, target }) => target || id,
    timeOf: ({ at }) => at,
  },
};

/**
 * Returns the item of a record, or null for a tombstone. Throws SinkForgedError (poison) in a fleet when no trusted key
 * has signed the record, and SchemaError (poison) when it can't be read.
 */
export function readItem({ topic, value, timestamp }: InRecord, trusted: TrustedKeys): Item | null {
  const source = SOURCES[topic] as Source<ItemKind> | undefined;
  if (source === undefined || value === null) return null;
  const { kind, schema, roles, idOf, groupOf, timeOf } = source;
  const record = decode(schema, value) as ItemRecords[ItemKind];
  const id = idOf(record);
  if (trusted !== null) {
    const find = (role: Role): KeyObject | undefined => trusted(role)(record.keyId, timestamp);
    const key = record.keyId === '' ? undefined : roles.map(find).find((found) => found !== undefined);
    if (key === undefined || !verifyRecord(key, value)) throw new SinkForgedError(kind, id, record.keyId);
  }
  return itemOf(kind, record, { id, group: groupOf(record), at: timeOf(record) });
}

/** Returns the item of a decoded record, with its document. */
export function itemOf(
  kind: ItemKind,
  record: ItemRecords[ItemKind],
  place: { readonly id: string; readonly group: string; readonly at: number },
): Item {
  return { kind, record, document: documentOf(kind, record), ...place } as Item;
}

function documentOf(kind: ItemKind, record: ItemRecords[ItemKind]): Document {
  switch (kind) {
    case 'alert':
      return alertBody(record as ItemRecords['alert']);
    case 'incident':
      return incidentBody(record as Incident);
    case 'command':
      return commandBody(record as ItemRecords['command']);
    case 'result':
      return resultBody(record as ItemRecords['result']);
    case 'operator':
      return operatorBody(record as ItemRecords['operator']);
  }
}
