import { createHash } from 'node:crypto';
import { catalogue, type Field } from '@ringfence/fields';
import { type ClusterOptions, namesOf } from './options.ts';

/** Raise this for a change that an older auditor must not overwrite: templates with a higher version are kept. */
const TEMPLATE_VERSION = 1;

export interface Template {
  readonly kind: '_component_template' | '_index_template';
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
}

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
  'event.start': time,
  'event.end': time,
  'host.boot.id': keyword,
  'trace.id': keyword,
  'rule.name': keyword,
  'rule.description': text,
  'threat.framework': keyword,
  'threat.tactic.id': keyword,
  'threat.tactic.name': keyword,
  'threat.technique.id': keyword,
  'process.command_line': { ...keyword, fields: { text } },
  'ringfence.enrichment': keyword,
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

const INCIDENT: Readonly<Record<string, Mapping>> = {
  ...Object.fromEntries(
    ['@timestamp', 'message', 'event.kind', 'event.start', 'event.end', 'event.severity', 'event.module'].map(
      (name) => [name, COMMON[name] ?? keyword],
    ),
  ),
  'host.id': keyword,
  'trace.id': keyword,
  'container.id': keyword,
  'container.name': keyword,
  'container.image.name': keyword,
  'threat.tactic.id': keyword,
  'threat.tactic.name': keyword,
  'threat.technique.id': keyword,
  'rule.name': keyword,
  'process.entity_id': keyword,
  'process.executable': keyword,
  'ringfence.signature.key_id': keyword,
  'ringfence.signature.verified': flag,
  'ringfence.incident.id': keyword,
  'ringfence.incident.version': number,
  'ringfence.incident.state': keyword,
  'ringfence.incident.status': keyword,
  'ringfence.incident.verdict': keyword,
  'ringfence.incident.merged_into': keyword,
  'ringfence.incident.title': { ...keyword, fields: { text } },
  'ringfence.incident.severity': keyword,
  'ringfence.incident.score': real,
  'ringfence.incident.alerts': keyword,
  'ringfence.incident.hosts': keyword,
  'ringfence.incident.story': text,
  'ringfence.incident.whole': opaque,
};

const AUDIT: Readonly<Record<string, Mapping>> = {
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

const HEADS: Readonly<Record<string, Mapping>> = {
  trail: keyword,
  topic: keyword,
  partition: number,
  next: number,
  updated: time,
  chains: opaque,
};

/** ECS maps identifiers as keywords, also numeric ones. */
function mappingOf({ name, type }: Field): Mapping {
  const isId = type === 'number' && name.endsWith('.id') && name !== 'process.thread.id';
  return isId ? keyword : BY_TYPE[type];
}

function eventFields(): Record<string, Mapping> {
  const fields = catalogue.fields.filter(
    ({ name, argument, dialect }) => name !== '@timestamp' && argument !== 'key' && dialect === undefined,
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
const mappingsOf = (fields: Readonly<Record<string, Mapping>>): Record<string, unknown> => ({
  dynamic: false,
  date_detection: false,
  properties: propertiesOf(fields),
});

/** Adds a digest to detect changes: the catalogue's fields change without a new TEMPLATE_VERSION. */
function stamped(template: Template): Template {
  const digest = createHash('sha256').update(JSON.stringify(template.body)).digest('hex').slice(0, 16);
  const meta = { version: TEMPLATE_VERSION, _meta: { managed_by: 'ringfence', digest } };
  return { ...template, body: { ...meta, ...template.body } };
}

export interface TemplateFeatures {
  /** The cluster rolls over and deletes old indices itself */
  readonly lifecycle: boolean;
  /**
   * Elasticsearch: its defaults for `logs-*` would rebuild documents from their fields on reads, and it supports
   * optional component templates for the operator
   */
  readonly elasticsearch: boolean;
}

/** Returns all templates in the order of installation. */
export function templatesFor(options: ClusterOptions, { lifecycle, elasticsearch }: TemplateFeatures): Template[] {
  const { prefix } = options;
  const names = namesOf({ ...options, namespace: '*' });
  const settings = {
    'index.mapping.total_fields.limit': 1000,
    // Keep a value that does not fit its field, without indexing it, instead of rejecting the document.
    'index.mapping.ignore_malformed': true,
    'index.refresh_interval': '5s',
    'index.auto_expand_replicas': '0-1',
    ...(elasticsearch ? { 'index.mode': 'standard' } : {}),
  };
  // PREFIX@custom belongs to the operator: replicas, lifecycle policies, pipelines.
  const composeOf = (mapping: string): object => {
    const parts = [`${prefix}-settings`, mapping];
    const custom = `${prefix}@custom`;
    return elasticsearch
      ? { composed_of: [...parts, custom], ignore_missing_component_templates: [custom] }
      : { composed_of: parts };
  };
  const component = (name: string, template: object): Template => ({
    kind: '_component_template',
    name: `${prefix}-${name}`,
    body: { template },
  });
  const stream = (name: string, pattern: string, mapping: string, retentionMs: number): Template => ({
    kind: '_index_template',
    name: `logs-${prefix}.${name}`,
    body: {
      index_patterns: [pattern],
      // Above the priorities of the built-in templates, 100 to 200.
      priority: 500,
      data_stream: {},
      ...composeOf(mapping),
      template: lifecycle ? { lifecycle: lifecycleOf(retentionMs) } : {},
    },
  });
  const index = (pattern: string, mapping: string): Template => ({
    kind: '_index_template',
    name: pattern,
    body: {
      index_patterns: [pattern],
      priority: 500,
      ...composeOf(mapping),
    },
  });
  const forever = Number.POSITIVE_INFINITY;
  const events = eventFields();
  return [
    component('settings', { settings }),
    component('ecs', { mappings: mappingsOf(events) }),
    component('audit', { mappings: mappingsOf(AUDIT) }),
    component('incidents', { mappings: mappingsOf(INCIDENT) }),
    component('heads', { mappings: mappingsOf(HEADS) }),
    stream('alerts', names.alerts, `${prefix}-ecs`, forever),
    stream('actions', names.actions, `${prefix}-ecs`, forever),
    stream('audit', names.audit, `${prefix}-audit`, forever),
    stream('events', names.events, `${prefix}-ecs`, options.eventRetentionMs),
    index(names.incidents, `${prefix}-incidents`),
    index(names.heads, `${prefix}-heads`),
  ].map(stamped);
}

function lifecycleOf(retentionMs: number): object {
  return Number.isFinite(retentionMs) ? { data_retention: `${Math.ceil(retentionMs / 1000)}s` } : {};
}
