import { TACTICS } from '../../attack/tactics.ts';
import { LIMITS } from '../../model/limits.ts';
import { ACTIONS, COMPARISONS, MEASURES, PRIORITIES, PROFILES } from '../../model/rule.ts';
import type { SUPPRESS_KEYS, THROTTLE_KEYS } from '../memory/alert-limits.ts';
import type { FIRST_SEEN_KEYS } from '../memory/first-seen.ts';
import type { SUMMARY_KEYS } from '../memory/summary.ts';
import { THRESHOLD_FORMS, type THRESHOLD_KEYS } from '../memory/threshold.ts';
import type { KEYS } from './document.ts';

type Schema = Readonly<Record<string, unknown>>;
/** Describes every key of the language and no other. */
type Described<K extends string> = Readonly<Record<K, Schema>>;

const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more });
const texts = (description: string, more: Schema = {}): Schema => ({
  type: 'array',
  description,
  items: { type: ['string', 'number', 'boolean'], ...more },
});

const CONDITION = text('fields, operators, macros, and, or, not: docs/RULES.md', {
  minLength: 1,
  maxLength: LIMITS.conditionLength,
});

const DURATION = '^\\d+(us|ms|s|m|h|d)$';

const threshold: Described<(typeof THRESHOLD_KEYS)[number]> = {
  count: { type: 'integer', minimum: 1, maximum: LIMITS.thresholdEvents, description: 'events that are needed' },
  distinct: text('field whose distinct values are counted instead of events'),
  sum: text('field of numbers that are added up'),
  at_least: {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: LIMITS.thresholdSum,
    description: 'with distinct: how many; with sum: how much',
  },
  regular: {
    type: 'integer',
    minimum: 1,
    maximum: LIMITS.thresholdCount,
    description: 'events in a row, at regular times',
  },
  every: text('with regular: the least time between two', { pattern: DURATION }),
  by: { ...texts('fields; one count for each combination of their values'), type: ['array', 'string'] },
  within: text('window of event time: 10s, 5m, 1h', { pattern: DURATION }),
  window: { ...text('tumbling: each window is counted separately'), enum: ['sliding', 'tumbling'] },
};

/** Which keys go together. */
const thresholdForms: Schema = {
  oneOf: THRESHOLD_FORMS.map(({ key, needs }) => {
    const formKeys: readonly string[] = [key, ...needs];
    const all = new Set(THRESHOLD_FORMS.flatMap((form): string[] => [form.key, ...form.needs]));
    const otherKeys = [...all].filter((candidate) => !formKeys.includes(candidate));
    return { required: formKeys, not: { anyOf: otherKeys.map((otherKey) => ({ required: [otherKey] })) } };
  }),
};

const bound = (description: string): Schema => ({ type: 'number', description });

const summary: Described<(typeof SUMMARY_KEYS)[number]> = {
  count: { ...text('events are counted'), enum: ['events'] },
  distinct: text('field whose different values are counted'),
  sum: text('field of numbers that are added up'),
  average: text('field of numbers'),
  median: text('field of numbers'),
  percentile: { type: 'number', minimum: 0, maximum: 100, description: 'with of: which, as 95' },
  of: text('with percentile: field of numbers'),
  at_least: bound('it is that or more'),
  above: bound('it is more'),
  at_most: bound('it is that or less'),
  below: bound('it is less'),
  by: { ...texts('fields; one window for each combination of their values'), type: ['array', 'string'] },
  within: text('window of event time, from its first event: 10s, 5m, 1h', { pattern: DURATION }),
};

const SUMMARY_FORMS: Schema = {
  oneOf: MEASURES.map((measure) => ({ required: [measure] })),
  anyOf: COMPARISONS.map((comparison) => ({ required: [comparison] })),
  dependencies: { percentile: ['of'], of: ['percentile'] },
};

const firstSeen: Described<(typeof FIRST_SEEN_KEYS)[number]> = {
  by: { ...texts('fields whose values are new together', {}), type: ['array', 'string'] },
  within: text('how long they have not been seen, up to 90d', { pattern: DURATION }),
  learn: text('how long after the rule came into force there is no alert; a day, or within if that is less', {
    pattern: DURATION,
  }),
};

const suppress: Described<(typeof SUPPRESS_KEYS)[number]> = {
  by: { ...texts('fields; one alert for each combination of their values'), type: ['array', 'string'] },
  for: text('how long there is no other: 10s, 5m, 1h', { pattern: DURATION }),
};

const throttle: Described<(typeof THROTTLE_KEYS)[number]> = {
  alerts: { type: 'integer', minimum: 1, maximum: LIMITS.thresholdCount, description: 'so many at most' },
  per: text('in each while so long: 10s, 5m, 1h', { pattern: DURATION }),
};

const rule: Described<(typeof KEYS.rule)[number]> = {
  rule: text('name of the rule: unique, up to 256 characters', { minLength: 1, maxLength: 256 }),
  desc: text('what has happened, for the person who is woken up'),
  condition: CONDITION,
  output: text('line of the alert: %field, %field[argument], %duration(field), %% for a percent sign'),
  priority: { ...text('how urgent an alert is'), enum: PRIORITIES },
  tags: { ...texts('ATT&CK tactics and techniques, and words of your own'), examples: TACTICS.slice(2) },
  action: { ...text('kill is a wish: policies decide'), enum: ACTIONS },
  profile: { ...text('hunt: only where hunting is asked for (detector.profile)'), enum: PROFILES },
  enabled: { type: 'boolean', description: 'false: it is checked, but not active' },
  threshold: {
    ...object(threshold, ['within'], 'matches only when the condition has held often enough within a while'),
    ...thresholdForms,
  },
  summary: {
    ...object(summary, ['within'], 'matches when a window is over, by what its events come to'),
    ...SUMMARY_FORMS,
  },
  first_seen: object(firstSeen, ['by', 'within'], 'matches only what is new on the host: new terms'),
  suppress: object(suppress, ['for'], 'after an alert none for a while, for each combination of values'),
  throttle: object(throttle, ['alerts', 'per'], 'at most so many alerts in a while'),
  excuses: text('why an attacker gains nothing by the excuses of the condition', { minLength: 1 }),
  techniques: texts('ATT&CK techniques that are not among the tags', { pattern: '^[Tt]\\d{4}(\\.\\d{3})?$' }),
};

/** A rule has one of these. */
const ONE_MEMORY: readonly Schema[] = [
  { required: ['threshold', 'first_seen'] },
  { required: ['threshold', 'summary'] },
  { required: ['summary', 'first_seen'] },
];

const macro: Described<(typeof KEYS.macro)[number]> = {
  macro: text('name, by which conditions use it', { pattern: '^[\\w.-]+$' }),
  condition: CONDITION,
  desc: text('meaning of a match, for the person who reads the alert'),
};

const list: Described<(typeof KEYS.list)[number]> = {
  list: text('name, by which conditions and other lists use it', { pattern: '^[\\w.-]+$' }),
  items: texts('values; one that is the name of a list stands for its values'),
  desc: text('what is in it'),
};

function object(properties: Described<string>, required: readonly string[], description: string): Schema {
  return { type: 'object', description, additionalProperties: false, required, properties };
}

/**
 * Returns a JSON Schema of native rule files for editors: names, values and documentation while typing. It does not
 * list the fields.
 */
export function ruleFileSchema(): Schema {
  const item = {
    oneOf: [
      { ...object(rule, ['rule', 'condition'], 'a rule'), not: { anyOf: ONE_MEMORY } },
      object(macro, ['macro', 'condition'], 'a condition with a name'),
      object(list, ['list', 'items'], 'values with a name'),
    ],
  };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Ringfence rules',
    oneOf: [{ type: 'array', maxItems: LIMITS.itemsPerSource, items: item }, item],
  };
}
