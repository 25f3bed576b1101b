import { isoTime } from '@ringfence/fields';
import { incidentTitle, storyLines } from '@ringfence/incident-text';
import { decode, type Incident } from '@ringfence/wire';
import {
  baseFields,
  containerFields,
  type Document,
  hostnameField,
  incidentFields,
  type KeyLookup,
  SEVERITY,
  signatureFields,
  tacticFields,
  techniqueFields,
} from './common.ts';

const unique = (values: readonly string[]): string[] => [...new Set(values)].slice(0, 1000);

export function incidentDocument(payload: Uint8Array, trusted: KeyLookup | undefined): Document {
  const incident = decode('Incident', payload);
  return { ...incidentBody(incident), ...signatureFields(incident.keyId, payload, trusted) };
}

/** Returns the document without the standing of its signature. */
export function incidentBody(incident: Incident): Document {
  const { keyId: _, signature: __, container, ...whole } = incident;
  const title = incidentTitle(incident);
  return {
    ...baseFields('ringfence.incidents', 'alert', incident.lastSeen, incident.hostId),
    message: title,
    'event.start': isoTime(incident.firstSeen),
    'event.end': isoTime(incident.lastSeen),
    'event.duration': (incident.lastSeen - incident.firstSeen) * 1000,
    'event.severity': SEVERITY[incident.severity] ?? 0,
    'event.risk_score': incident.score,
    ...hostnameField(incident.hostname),
    ...containerFields(container),
    ...tacticFields(unique(incident.stages.map(({ tactic }) => tactic))),
    ...techniqueFields(unique(incident.stages.flatMap(({ techniques }) => techniques))),
    'rule.name': unique(incident.alerts.map(({ rule }) => rule)),
    'process.entity_id': unique(incident.processes.map(({ entityId }) => entityId)),
    'process.executable': unique(incident.processes.map(({ executable }) => executable)),
    'trace.id': unique(incident.alerts.map(({ id }) => id)),
    'user.name': unique(incident.alerts.flatMap(({ process }) => process?.user ?? [])),
    ...incidentFields(incident.id),
    'ringfence.severity': incident.severity,
    'ringfence.incident.version': incident.version,
    'ringfence.incident.state': incident.state,
    'ringfence.incident.status': incident.status,
    'ringfence.incident.verdict': incident.verdict,
    'ringfence.incident.merged_into': incident.mergedInto,
    'ringfence.incident.title': title,
    'ringfence.incident.severity': incident.severity,
    'ringfence.incident.score': incident.score,
    'ringfence.incident.alert_count': incident.alerts.reduce((sum, { count }) => sum + count, incident.omittedAlerts),
    'ringfence.incident.stage_count': incident.stages.length,
    'ringfence.incident.alerts': unique(incident.alerts.map(({ id }) => id)),
    'ringfence.incident.hosts': incident.hosts.length === 0 ? [incident.hostId] : unique(incident.hosts),
    'ringfence.incident.story': storyLines(incident),
    'ringfence.incident.whole': whole,
  };
}
