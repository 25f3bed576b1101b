import { createHash } from 'node:crypto';
import { AUDIT, eventFields, HEADS, INCIDENT, mappingsOf } from './mappings.ts';
import { type ClusterOptions, namesOf } from './options.ts';

/** Raise this for a change that an older auditor must not overwrite: templates with a higher version are kept. */
const TEMPLATE_VERSION = 2;

export interface Template {
  readonly kind: '_component_template' | '_index_template';
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
}

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
