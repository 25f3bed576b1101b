import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import type { Yaml, YamlMap, YamlText } from '../../language/file/yaml.ts';
import { find, type SigmaDocument, textOf, textsOf } from '../documents.ts';
import { MEASURED, readCondition, rulesOf, type WantedMeasure } from './condition.ts';

type MeasuringType = keyof typeof MEASURED;
type Type = MeasuringType | 'temporal' | 'temporal_ordered';
const TYPES: readonly Type[] = [...(Object.keys(MEASURED) as MeasuringType[]), 'temporal', 'temporal_ordered'];

/** How many of the rules must match within the time. */
export interface WantedRules {
  readonly needed: number;
  readonly ordered: boolean;
}

/** The value of `correlation`. */
export interface Correlation {
  readonly type: Type;
  /** Ids or names. */
  readonly rules: readonly YamlText[];
  readonly groupBy: readonly YamlText[];
  readonly withinUs: number;
  readonly wanted: WantedMeasure | WantedRules;
  /** By alias, then by id or name of a rule: the field that the alias stands for. */
  readonly aliases: ReadonlyMap<string, ReadonlyMap<string, YamlText>>;
  /** Its rules raise alerts themselves too. */
  readonly generate: boolean;
  readonly at: number;
}

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
    wanted: isMeasuring(type)
      ? readCondition(type, condition, body.at)
      : { needed: rulesNeeded(condition, rules.length), ordered: type === 'temporal_ordered' },
    aliases: aliasesOf(find(body, 'aliases')?.value),
    generate: generate || textOf(body, 'generate')?.text.toLowerCase() === 'true',
    at: body.at,
  };
}

const isMeasuring = (type: Type): type is MeasuringType => type in MEASURED;

function typeOf(body: YamlMap): Type {
  const type = textOf(body, 'type');
  const word = type?.text ?? '';
  const found = TYPES.find((type) => type === word);
  if (found !== undefined) return found;
  const at = type?.at ?? body.at;
  throw new Fault(
    'value',
    at,
    type === undefined ? "the correlation has no 'type'" : `'${word}' is not a type of correlation`,
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

/** In a temporal correlation all rules are needed, unless a count is given; `a and b` means all too. */
function rulesNeeded(condition: Yaml | undefined, rules: number): number {
  if (condition === undefined) return rules;
  if (condition.kind === 'map') return rulesOf(condition, rules);
  if (condition.kind === 'text' && !/\b(?:or|not)\b/i.test(condition.text)) return rules;
  throw new Fault(
    'unsupported',
    condition.at,
    "all rules are needed, or a number of them: 'or' and 'not' are not supported",
    'Write condition: { gte: 2 }.',
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
