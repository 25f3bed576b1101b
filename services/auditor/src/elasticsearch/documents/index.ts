import type { AuditEntry } from '../../sink.ts';
import type { Put } from '../bulk.ts';
import type { Names } from '../options.ts';
import { commandDocument, resultDocument } from './action.ts';
import { alertDocument } from './alert.ts';
import { idOf } from './audit.ts';
import type { Document, TrustedRoles } from './common.ts';
import { createEventDocuments } from './events.ts';
import { incidentDocument } from './incident.ts';

export type { TrustedRoles } from './common.ts';

/** The documents that people search, of one entry; its place in the audit stream is another matter. */
export type DocumentsOf = (entry: AuditEntry) => Put[];

export function createDocuments(names: Names, sample: number, trusted: TrustedRoles | undefined): DocumentsOf {
  const detector = trusted?.('detector');
  const responder = trusted?.('responder');
  const events = createEventDocuments(sample);
  const one = (index: string, entry: AuditEntry, document: Document): Put[] => [
    { index, id: idOf(entry.kind, entry.id), document },
  ];
  return (entry) => {
    const { kind, payload, incident } = entry;
    if (kind === 'alert') return one(names.alerts, entry, alertDocument(payload, detector));
    if (kind === 'command') return one(names.actions, entry, commandDocument(payload, responder));
    if (kind === 'result') return one(names.actions, entry, resultDocument(payload, responder));
    if (kind === 'events')
      return Array.from(events(payload), ({ id, document }) => ({ index: names.events, id, document }));
    if (incident === null) return [];
    const { id, version } = incident;
    return [
      { index: names.incidents, id: idOf('incident', id), version, document: incidentDocument(payload, detector) },
    ];
  };
}
