import { catalogue, type Field } from '@ringfence/fields';

type Mapping = Readonly<Record<string, unknown>>;

/** Longer text stays in the document but cannot be searched by value. */
const keyword: Mapping = { type: 'keyword', ignore_above: 1024 };
const number: Mapping = { type: 'long' };
const real: Mapping = { type: 'double' };
const flag: Mapping = { type: 'boolean' };
const text: Mapping = { type: 'text' };
const time: Mapping = { type: 'date' };
/** Stored but not indexed: its content, including field names, is untrusted text from hosts. */
const opaque: Mapping = { type: 'object', enabled: false };

const BY_TYPE: Readonly<Record<Field['type'], Mapping>> = {
  string: keyword,
  strings: keyword,
  number,
  bool: flag,
  ip: { type: 'ip' },
};

/** ECS fields of the documents besides those of the catalogue. */
const COMMON: Readonly<Record<string, Mapping>> = {
  '@timestamp': time,
  message: text,
  tags: keyword,
  'ecs.version': keyword,
  'data_stream.type': keyword,
  'data_stream.dataset': keyword,
  'data_stream.namespace': keyword,
  'event.kind': keyword,
  'event.type': keyword,
  'event.module': keyword,
  'event.dataset': keyword,
  'event.reason': keyword,
  'event.severity': number,
  'event.risk_score': { type: 'float' },
  'event.start': time,
  'event.end': time,
  'event.ingested': time,
  'host.name': keyword,
  'host.boot.id': keyword,
  'trace.id': keyword,
  'rule.name': keyword,
  'rule.description': { ...keyword, fields: { text } },
  'threat.framework': keyword,
  'threat.tactic.id': keyword,
  'threat.tactic.name': keyword,
  'threat.technique.id': keyword,
  'threat.technique.name': keyword,
  'threat.technique.subtechnique.id': keyword,
  'threat.technique.subtechnique.name': keyword,
  'orchestrator.type': keyword,
  'orchestrator.resource.type': keyword,
  'process.entry_leader.entity_id': keyword,
  'process.entry_leader.pid': number,
  'process.entry_leader.executable': keyword,
  'agent.type': keyword,
  'process.Ext.ancestry': keyword,
  'process.command_line': { ...keyword, fields: { text } },
  'ringfence.enrichment': keyword,
  'ringfence.severity': keyword,
  /** ms from the event's time to its arrival */
  'ringfence.delay': number,
  'ringfence.incident.id': keyword,
  'ringfence.incident.command': keyword,
  'ringfence.process.tty': number,
  'ringfence.log.origin': keyword,
  'ringfence.signature.key_id': keyword,
  'ringfence.signature.verified': flag,
  'ringfence.source.topic': keyword,
  'ringfence.source.partition': number,
  'ringfence.source.offset': number,
  'ringfence.alert.action': keyword,
  'ringfence.alert.priority': keyword,
  'ringfence.alert.events': keyword,
  'ringfence.alert.fields': keyword,
  'ringfence.command.id': keyword,
  'ringfence.command.action': keyword,
  'ringfence.command.mode': keyword,
  'ringfence.command.policy': keyword,
  'ringfence.command.cause': keyword,
  'ringfence.command.expires': time,
  'ringfence.result.outcome': keyword,
  'ringfence.operator.target': keyword,
  'ringfence.operator.origin': keyword,
  'ringfence.operator.claimed_uid': number,
  'ringfence.operator.claimed_user': keyword,
  'ringfence.operator.details': keyword,
  'ringfence.lineage': opaque,
  'container.labels': opaque,
};

export const INCIDENT: Readonly<Record<string, Mapping>> = {
  ...Object.fromEntries(
    [
      ...['@timestamp', 'message', 'event.kind', 'event.start', 'event.end', 'event.severity', 'event.risk_score'],
      ...['event.ingested', 'event.module', 'event.dataset', 'host.name', 'orchestrator.type'],
      ...['ringfence.delay', 'ringfence.severity', 'ringfence.incident.id', 'ringfence.incident.command'],
    ].map((name) => [name, COMMON[name] ?? keyword]),
  ),
  'event.duration': number,
  'user.name': keyword,
  'orchestrator.namespace': keyword,
  'orchestrator.resource.name': keyword,
  'host.id': keyword,
  'trace.id': keyword,
  'container.id': keyword,
  'container.name': keyword,
  'container.image.name': keyword,
  'threat.tactic.id': keyword,
  'threat.tactic.name': keyword,
  'threat.technique.id': keyword,
  'threat.technique.name': keyword,
  'threat.technique.subtechnique.id': keyword,
  'threat.technique.subtechnique.name': keyword,
  'rule.name': keyword,
  'process.entity_id': keyword,
  'process.executable': keyword,
  'ringfence.signature.key_id': keyword,
  'ringfence.signature.verified': flag,
  'ringfence.incident.version': number,
  'ringfence.incident.state': keyword,
  'ringfence.incident.status': keyword,
  'ringfence.incident.verdict': keyword,
  'ringfence.incident.merged_into': keyword,
  'ringfence.incident.title': { ...keyword, fields: { text } },
  'ringfence.incident.severity': keyword,
  'ringfence.incident.score': real,
  'ringfence.incident.alert_count': number,
  'ringfence.incident.stage_count': number,
  'ringfence.incident.alerts': keyword,
  'ringfence.incident.hosts': keyword,
  'ringfence.incident.story': text,
  'ringfence.incident.whole': opaque,
};

export const AUDIT: Readonly<Record<string, Mapping>> = {
  '@timestamp': time,
  'event.kind': keyword,
  'event.module': keyword,
  'event.dataset': keyword,
  'host.id': keyword,
  'ringfence.audit.kind': keyword,
  'ringfence.audit.id': keyword,
  'ringfence.audit.topic': keyword,
  'ringfence.audit.partition': number,
  'ringfence.audit.offset': number,
  'ringfence.audit.seq': number,
  'ringfence.audit.timestamp': number,
  'ringfence.audit.cause': keyword,
  'ringfence.audit.entities': keyword,
  'ringfence.audit.text': text,
  'ringfence.audit.prev_hash': keyword,
  'ringfence.audit.hash': keyword,
  'ringfence.audit.digest': keyword,
  'ringfence.audit.size': number,
  'ringfence.audit.packed': number,
  'ringfence.audit.payload': { type: 'binary' },
};

export const HEADS: Readonly<Record<string, Mapping>> = {
  trail: keyword,
  topic: keyword,
  partition: number,
  next: number,
  updated: time,
  chains: opaque,
};

/** Fields of the catalogue that ECS maps otherwise than their type suggests. */
const ECS_MAPPINGS: Readonly<Record<string, Mapping>> = {
  'dns.resolved_ip': BY_TYPE.ip,
  'file.gid': keyword,
  'file.mode': keyword,
  'file.uid': keyword,
  'host.ip': BY_TYPE.ip,
  'log.syslog.procid': keyword,
};

/** Fields whose names are objects in ECS; documents have them under names of our own. */
const RENAMED: ReadonlySet<string> = new Set(['process.tty', 'log.origin']);

/** ECS maps identifiers as keywords, also numeric ones. */
function mappingOf({ name, type }: Field): Mapping {
  const isId = type === 'number' && name.endsWith('.id') && name !== 'process.thread.id';
  return ECS_MAPPINGS[name] ?? (isId ? keyword : BY_TYPE[type]);
}

/** Fields of events, alerts and actions: those of the catalogue, and ours. */
export function eventFields(): Record<string, Mapping> {
  const fields = catalogue.fields.filter(
    ({ name, argument, dialect }) =>
      name !== '@timestamp' && argument !== 'key' && dialect === undefined && !RENAMED.has(name),
  );
  return { ...Object.fromEntries(fields.map((field) => [field.name, mappingOf(field)])), ...COMMON };
}

/** Converts `{ 'a.b': m }` to a mapping's nested properties. */
export function propertiesOf(fields: Readonly<Record<string, Mapping>>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [name, mapping] of Object.entries(fields)) {
    let properties = root;
    const parts = name.split('.');
    for (const part of parts.slice(0, -1)) {
      const node = (properties[part] ?? { properties: {} }) as { properties?: Record<string, unknown> };
      properties[part] = node;
      if (node.properties === undefined) throw new TypeError(`${name}: ${part} is a field and cannot contain fields`);
      properties = node.properties;
    }
    const last = parts.at(-1) ?? '';
    if (last in properties) throw new TypeError(`${name} contains fields and cannot be a field`);
    properties[last] = mapping;
  }
  return root;
}

/** Documents never add fields: their names may be untrusted text from hosts, and a mapping has a limit. */
export const mappingsOf = (fields: Readonly<Record<string, Mapping>>): Record<string, unknown> => ({
  dynamic: false,
  date_detection: false,
  properties: propertiesOf(fields),
});
