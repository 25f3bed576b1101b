/** Severities of Elastic Security by priorities of rules. */
const SEVERITIES = {
  debug: 'low',
  informational: 'low',
  notice: 'low',
  warning: 'medium',
  error: 'high',
  critical: 'critical',
  alert: 'critical',
  emergency: 'critical',
} as const;

/**
 * Returns the rule that shows alerts in Elastic Security: under the name of their own rule, with its severity, and one
 * for each incident. It searches by arrival, because a host may send its events late.
 */
export const detectionRule = (prefix: string): object => ({
  rule_id: 'ringfence-alerts',
  name: 'Ringfence alert',
  description: 'Alerts of Ringfence, one for each attack chain. `ringfence incident show` has the whole chain.',
  type: 'query',
  language: 'kuery',
  index: [`logs-${prefix}.alerts-*`],
  query: 'event.kind : "alert" and event.module : "ringfence"',
  filters: [],
  enabled: false,
  interval: '1m',
  from: 'now-6m',
  to: 'now',
  max_signals: 1000,
  severity: 'medium',
  severity_mapping: Object.entries(SEVERITIES).map(([value, severity]) => ({
    field: 'ringfence.severity',
    operator: 'equals',
    value,
    severity,
  })),
  risk_score: 47,
  risk_score_mapping: [{ field: 'event.risk_score', operator: 'equals', value: '' }],
  rule_name_override: 'rule.name',
  timestamp_override: 'event.ingested',
  timestamp_override_fallback_disabled: false,
  alert_suppression: {
    group_by: ['ringfence.incident.id'],
    duration: { value: 24, unit: 'h' },
    missing_fields_strategy: 'doNotSuppress',
  },
  author: ['Ringfence'],
  license: 'Apache-2.0',
  tags: ['Ringfence'],
  references: [],
  false_positives: [],
  threat: [],
  actions: [],
});
