import { didYouMean } from '../diagnostics.ts';
import { Fault } from '../errors.ts';
import type { Yaml, YamlMap, YamlText } from '../language/yaml.ts';
import { LIMITS } from '../limits.ts';
import { find, type SigmaDocument, textOf, textsOf } from './documents.ts';

export const TYPES = ['event_count', 'value_count', 'temporal', 'temporal_ordered'] as const;

/** What stands under `correlation`. */
export interface Correlation {
  readonly type: (typeof TYPES)[number];
  /** ids or names */
  readonly rules: readonly YamlText[];
  readonly groupBy: readonly YamlText[];
  readonly withinUs: number;
  /** events, values or rules that are needed at least */
  readonly atLeast: number;
  /** of `value_count`: whose values are counted */
  readonly field: YamlText | undefined;
  /** by alias, then by id or name of a rule: the field it stands for */
  readonly aliases: ReadonlyMap<string, ReadonlyMap<string, YamlText>>;
  /** its rules alert themselves too */
  readonly generate: boolean;
  readonly at: number;
}

const NUMERIC: readonly string[] = [
  'value_sum',
  'value_avg',
  'value_min',
  'value_max',
  'value_percentile',
  'value_median',
];
const COUNTS = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const;
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const LONGEST_US = 7 * 86_400_000_000;
const MOST_RULES = 64;
const MOST_FIELDS = 8;

/** @throws Fault */
export function readCorrelation({ body, generate }: SigmaDocument): Correlation {
  const type = typeOf(body);
  const rules = textsOf(body, 'rules');
  if (rules.length === 0 || rules.length > MOST_RULES)
    throw new Fault(
      'missing-key',
      find(body, 'rules')?.at ?? body.at,
      `a correlation has 1 to ${MOST_RULES} rules`,
      "Add 'rules:' with their ids or names.",
    );
  const groupBy = textsOf(body, 'group-by');
  if (groupBy.length > MOST_FIELDS)
    throw new Fault('too-long', groupBy[0]!.at, `${groupBy.length} fields to group by; ${MOST_FIELDS} are allowed`);
  const condition = find(body, 'condition')?.value;
  return {
    type,
    rules,
    groupBy,
    withinUs: timespanOf(body),
    atLeast: type.startsWith('temporal')
      ? rulesNeeded(condition, rules.length)
      : countOf(condition, body.at, mostOf(type)),
    field: type === 'value_count' ? fieldOf(condition, body.at) : undefined,
    aliases: aliasesOf(find(body, 'aliases')?.value),
    generate: generate || textOf(body, 'generate')?.text.toLowerCase() === 'true',
    at: body.at,
  };
}

function typeOf(body: YamlMap): Correlation['type'] {
  const type = textOf(body, 'type');
  const word = type?.text ?? '';
  const found = TYPES.find((one) => one === word);
  if (found !== undefined) return found;
  const at = type?.at ?? body.at;
  if (NUMERIC.includes(word))
    throw new Fault(
      'unsupported',
      at,
      `'${word}' is not supported: here events and distinct values are counted`,
      "Use 'event_count' or 'value_count'.",
    );
  throw new Fault(
    'value',
    at,
    type === undefined ? "the correlation has no 'type'" : `'${word}' is no type of correlation`,
    didYouMean(word, TYPES, `One of: ${TYPES.join(', ')}.`),
  );
}

function timespanOf(body: YamlMap): number {
  const text = textOf(body, 'timespan') ?? textOf(body, 'timeframe');
  const [, number = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text?.text ?? '') ?? [];
  const us = Number(number) * (UNITS[unit] ?? 0) * 1_000_000;
  if (us > 0 && us <= LONGEST_US) return us;
  const found =
    text === undefined ? "the correlation has no 'timespan'" : `expected a timespan of up to 7d, found '${text.text}'`;
  throw new Fault('value', text?.at ?? body.at, found, 'Write a number and s, m, h or d: 15m.');
}

const mostOf = (type: Correlation['type']): number =>
  type === 'event_count' ? LIMITS.thresholdEvents : LIMITS.thresholdCount;

/** The count at which the condition begins to hold. @throws Fault when it holds from the start: nothing would be counted */
function countOf(condition: Yaml | undefined, at: number, greatest: number = LIMITS.thresholdCount): number {
  if (condition?.kind !== 'map')
    throw new Fault(
      'missing-key',
      condition?.at ?? at,
      "the correlation has no 'condition'",
      'Write condition: { gte: 10 }.',
    );
  let least = 0;
  let most = Number.POSITIVE_INFINITY;
  for (const { key, value, at: keyAt } of condition.entries) {
    if (key === 'field') continue;
    if (!(COUNTS as readonly string[]).includes(key))
      throw new Fault(
        'unknown-key',
        keyAt,
        `unknown comparison '${key}'`,
        didYouMean(key, COUNTS, `One of: ${COUNTS.join(', ')}.`),
      );
    const count = numberOf(value);
    if (key === 'gte' || key === 'eq') least = Math.max(least, count);
    else if (key === 'gt') least = Math.max(least, count + 1);
    if (key === 'lte' || key === 'eq') most = Math.min(most, count);
    else if (key === 'lt') most = Math.min(most, count - 1);
  }
  if (least === 0)
    throw new Fault(
      'unsupported',
      condition.at,
      'this holds with the first event: a count is reached from below',
      "Add 'gte' or 'gt'.",
    );
  if (most < least) throw new Fault('value', condition.at, 'no count fits this condition');
  if (least > greatest)
    throw new Fault('value', condition.at, `a count is at most ${greatest}, this asks for ${least}`);
  return least;
}

function numberOf(value: Yaml): number {
  if (value.kind === 'text' && /^\d{1,9}$/.test(value.text)) return Number(value.text);
  throw new Fault(
    'value',
    value.at,
    `expected a number, found ${value.kind === 'text' ? `'${value.text}'` : `a ${value.kind}`}`,
  );
}

/** Of rules in time all are needed, unless a count is given; `a and b` says all too. */
function rulesNeeded(condition: Yaml | undefined, rules: number): number {
  if (condition === undefined) return rules;
  if (condition.kind === 'map') {
    const count = countOf(condition, condition.at);
    if (count <= rules) return count;
    throw new Fault('value', condition.at, `${count} of ${rules} rules can't match`);
  }
  if (condition.kind === 'text' && !/\b(?:or|not)\b/i.test(condition.text)) return rules;
  throw new Fault(
    'unsupported',
    condition.at,
    "of the rules all are needed, or a count: 'or' and 'not' are not supported",
    'Write condition: { gte: 2 }.',
  );
}

function fieldOf(condition: Yaml | undefined, at: number): YamlText {
  const field = condition?.kind === 'map' ? textOf(condition, 'field') : undefined;
  if (field !== undefined) return field;
  throw new Fault(
    'missing-key',
    condition?.at ?? at,
    "'value_count' needs a field",
    'Write condition: { field: User, gte: 10 }.',
  );
}

function aliasesOf(node: Yaml | undefined): Correlation['aliases'] {
  if (node === undefined) return new Map();
  if (node.kind !== 'map')
    throw new Fault('shape', node.at, "'aliases' must be a mapping", 'Write alias: { rule: field }.');
  return new Map(
    node.entries.map(({ key, value }) => {
      if (value.kind !== 'map')
        throw new Fault('shape', value.at, `the alias '${key}' must be a mapping`, 'Write rule: field.');
      const fields = value.entries.map((entry) => {
        if (entry.value.kind !== 'text') throw new Fault('shape', entry.value.at, 'expected the name of a field');
        return [entry.key, entry.value] as const;
      });
      return [key, new Map(fields)];
    }),
  );
}
