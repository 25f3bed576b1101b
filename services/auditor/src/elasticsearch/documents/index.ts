import {
  alertDocument,
  commandDocument,
  type Document,
  incidentDocument,
  type KeyLookup,
  type KeyLookupByRole,
  operatorDocument,
  resultDocument,
} from '@ringfence/ecs';
import { OPERATOR_ROLES } from '@ringfence/wire';
import type { AuditEntry } from '../../sink.ts';
import type { Put } from '../bulk.ts';
import type { ClusterOptions, IndexNames } from '../options.ts';
import { idOf } from './audit.ts';
import { createEventDocuments } from './events.ts';

const anyOf =
  (lookups: readonly KeyLookup[]): KeyLookup =>
  (keyId) =>
    lookups.map((lookup) => lookup(keyId)).find((key) => key !== undefined);

/** Creates the searchable documents of an entry; the audit stream is written separately. */
export type DocumentFactory = (entry: AuditEntry) => Put[];

export function createDocuments(
  names: IndexNames,
  { eventSample, analyzer }: Pick<ClusterOptions, 'eventSample' | 'analyzer'>,
  trusted: KeyLookupByRole | undefined,
): DocumentFactory {
  const detector = trusted?.('detector');
  const responder = trusted?.('responder');
  const operators = trusted === undefined ? undefined : anyOf(OPERATOR_ROLES.map(trusted));
  const events = createEventDocuments(eventSample, analyzer);
  const singleDocument = (index: string, entry: AuditEntry, document: Document): Put[] => [
    { index, id: idOf(entry.kind, entry.id), document: arrived(document) },
  ];
  return (entry) => {
    const { kind, payload, incident } = entry;
    if (kind === 'alert') return singleDocument(names.alerts, entry, alertDocument(payload, detector, analyzer));
    if (kind === 'command') return singleDocument(names.actions, entry, commandDocument(payload, responder));
    if (kind === 'result') return singleDocument(names.actions, entry, resultDocument(payload, responder));
    if (kind === 'operator') return singleDocument(names.actions, entry, operatorDocument(payload, operators));
    if (kind === 'events')
      return Array.from(events(payload), ({ id, document }) => ({
        index: names.events,
        id,
        document: arrived(document),
      }));
    if (incident === null) return [];
    const { id, version } = incident;
    const document = arrived(incidentDocument(payload, detector));
    return [{ index: names.incidents, id: idOf('incident', id), version, document }];
  };
}

/** Detection rules search by the time of arrival, because a host may send its events late. */
function arrived(document: Document): Document {
  const now = Date.now();
  const delay = Math.max(0, now - Date.parse(String(document['@timestamp'])));
  return { ...document, 'event.ingested': new Date(now).toISOString(), 'ringfence.delay': delay };
}
