import { type Alert, decode, executableName, type LineageProcess } from '@ringfence/wire';
import {
  analyzerFields,
  baseFields,
  containerFields,
  type Document,
  entryLeaderFields,
  hostnameField,
  incidentFields,
  type KeyLookup,
  SEVERITY,
  signatureFields,
  tacticFields,
  techniqueFields,
} from './common.ts';

export function alertDocument(payload: Uint8Array, trusted: KeyLookup | undefined, analyzer = false): Document {
  const alert = decode('Alert', payload);
  return { ...alertBody(alert, analyzer), ...signatureFields(alert.keyId, payload, trusted) };
}

/** Returns the document without the standing of its signature. */
export function alertBody(alert: Alert, analyzer = false): Document {
  return {
    ...baseFields('ringfence.alerts', 'alert', alert.timestamp, alert.hostId),
    message: alert.output,
    tags: alert.tags,
    ...hostnameField(alert.hostname),
    'host.boot.id': alert.bootId,
    'event.id': alert.id,
    'trace.id': alert.id,
    'event.action': alert.kind,
    'event.severity': SEVERITY[alert.priority] ?? 0,
    'event.risk_score': SEVERITY[alert.priority] ?? 0,
    'rule.name': alert.rule,
    'rule.description': alert.description,
    'threat.framework': 'MITRE ATT&CK',
    ...tacticFields(alert.tactics),
    ...techniqueFields(alert.techniques),
    ...processFields(alert.lineage),
    ...entryLeaderFields(alert.lineage),
    ...(analyzer ? analyzerFields(alert.lineage) : {}),
    ...containerFields(alert.container),
    'container.cgroup': alert.cgroupPath,
    ...incidentFields(alert.incident),
    'ringfence.severity': alert.priority,
    'ringfence.alert.action': alert.action,
    'ringfence.alert.priority': alert.priority,
    'ringfence.alert.events': alert.events,
    // As text, because arbitrary names must not become fields.
    'ringfence.alert.fields': Object.entries(alert.fields).map(([name, value]) => `${name}=${value}`),
    'ringfence.lineage': alert.lineage.map(({ start: _, cgroup: __, ...fields }) => fields),
  };
}

function processFields([process, parent]: readonly LineageProcess[]): Document {
  return {
    ...(process === undefined
      ? {}
      : {
          'process.entity_id': process.entityId,
          'process.pid': process.pid,
          'process.executable': process.executable,
          'process.name': executableName(process.executable),
          'process.command_line': process.args,
          'user.name': process.user,
        }),
    ...(parent === undefined
      ? {}
      : {
          'process.parent.entity_id': parent.entityId,
          'process.parent.pid': parent.pid,
          'process.parent.executable': parent.executable,
          'process.parent.name': executableName(parent.executable),
          'process.parent.command_line': parent.args,
        }),
  };
}
