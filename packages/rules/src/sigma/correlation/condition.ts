import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import type { Yaml, YamlMap, YamlText } from '../../language/file/yaml.ts';
import { checkBounds, leastOf, reachedAt, readBound, tightest } from '../../language/memory/bounds.ts';
import { percentileOf } from '../../language/memory/summary.ts';
import { type Bound, fits, type Measure } from '../../model/rule.ts';
import { textOf } from '../documents.ts';

/** The measure of each correlation type. */
export const MEASURED = {
  event_count: 'count',
  value_count: 'distinct',
  value_sum: 'sum',
  value_avg: 'average',
  value_median: 'median',
  value_percentile: 'percentile',
} as const;

/** The measure of the events of a window, or of the values of a field in them. */
type Measured =
  | { readonly measure: 'count' }
  | { readonly measure: Exclude<Measure, 'count' | 'percentile'>; readonly field: YamlText }
  | { readonly measure: 'percentile'; readonly field: YamlText; readonly percentile: number };

/** The measure of a correlation and its bounds. */
export type WantedMeasure = Measured & {
  readonly bounds: readonly Bound[];
  /**
   * The count or sum from which on it holds until the end of the window; undefined: only the end of the window decides.
   */
  readonly atLeast: number | undefined;
};

const COMPARED: Readonly<Record<string, readonly Bound['is'][]>> = {
  gt: ['above'],
  gte: ['at_least'],
  lt: ['below'],
  lte: ['at_most'],
  eq: ['at_least', 'at_most'],
};
const BESIDES: readonly string[] = ['field', 'percentile'];

/** @throws Fault */
export function readCondition(type: keyof typeof MEASURED, node: Yaml | undefined, at: number): WantedMeasure {
  const measure = MEASURED[type];
  const condition = mapOf(node, at);
  const bounds = boundsOf(measure, condition);
  return { ...measuredBy(type, condition), bounds, atLeast: reachedAt(measure, bounds, condition.at) };
}

function measuredBy(type: keyof typeof MEASURED, condition: YamlMap): Measured {
  const measure = MEASURED[type];
  if (measure === 'count') return { measure };
  const field = fieldOf(type, condition);
  return measure === 'percentile' ? { measure, field, percentile: which(condition) } : { measure, field };
}

/**
 * Returns the number of rules that must match.
 * @throws Fault if the condition holds from the start, or only with more rules than there are
 */
export function rulesOf(condition: YamlMap, rules: number): number {
  const bounds = boundsOf('count', condition);
  const least = leastOf('count', bounds);
  if (least < 1) {
    const holds = 'this condition holds from the first event on';
    throw new Fault('unsupported', condition.at, holds, "Add 'gte' or 'gt'.");
  }
  if (least > rules) throw new Fault('value', condition.at, `${least} of ${rules} rules can't match`);
  if (bounds.every((bound) => fits(rules, bound))) return least;
  const open = `this correlation reports as soon as ${least} of ${rules} rules have matched and does not wait for more`;
  throw new Fault('unsupported', condition.at, open, "Leave out 'lt', 'lte' and 'eq'.");
}

function mapOf(node: Yaml | undefined, at: number): YamlMap {
  if (node?.kind === 'map') return node;
  throw new Fault('missing-key', node?.at ?? at, "the correlation has no 'condition'", 'Write condition: { gte: 10 }.');
}

function boundsOf(measure: Measure, condition: YamlMap): Bound[] {
  const written = condition.entries
    .filter(({ key }) => !BESIDES.includes(key))
    .flatMap(({ key, value, at }) =>
      comparisonsOf(key, at).map((is): Bound => ({ is, value: numberIn(measure, value) })),
    );
  const bounds = tightest(written);
  if (bounds.length === 0) {
    const nothing = 'the condition has no comparison';
    throw new Fault('missing-key', condition.at, nothing, 'Write condition: { gte: 10 }.');
  }
  checkBounds(measure, bounds, condition.at);
  return bounds;
}

/** @throws Fault */
function comparisonsOf(key: string, at: number): readonly Bound['is'][] {
  const found = Object.hasOwn(COMPARED, key) ? COMPARED[key] : undefined;
  if (found !== undefined) return found;
  if (key === 'neq') {
    const hint = "Use 'gt', 'gte', 'lt' or 'lte'.";
    throw new Fault('unsupported', at, "'neq' would match nearly everything", hint);
  }
  const known = Object.keys(COMPARED);
  const hint = didYouMean(key, known, `One of: ${known.join(', ')}.`);
  throw new Fault('unknown-key', at, `unknown comparison '${key}'`, hint);
}

function numberIn(measure: Measure, value: Yaml): number {
  if (value.kind === 'text') return readBound(measure, value);
  throw new Fault('value', value.at, `expected a number, found a ${value.kind}`);
}

function which(condition: YamlMap): number {
  const percentile = textOf(condition, 'percentile');
  if (percentile !== undefined) return percentileOf(percentile);
  throw new Fault(
    'missing-key',
    condition.at,
    "'value_percentile' needs a percentile",
    'Write condition: { field: bytes, percentile: 95, gte: 10 }.',
  );
}

function fieldOf(type: string, condition: YamlMap): YamlText {
  const field = textOf(condition, 'field');
  if (field !== undefined) return field;
  throw new Fault('missing-key', condition.at, `'${type}' needs a field`, 'Write condition: { field: User, gte: 10 }.');
}
