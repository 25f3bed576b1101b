import { didYouMean } from '../diagnostics.ts';
import { Fault } from '../errors.ts';
import { numberOf, percentileOf } from '../language/summary.ts';
import type { Yaml, YamlMap, YamlText } from '../language/yaml.ts';
import { LIMITS } from '../limits.ts';
import type { Bound, Measure } from '../rule.ts';
import { textOf } from './documents.ts';

/** What a correlation waits for. */
export interface Wanted {
  /** what is counted or measured */
  readonly measure: Measure;
  readonly bounds: readonly Bound[];
  /** of `percentile` */
  readonly percentile?: number;
  /** whose values; undefined: events are counted */
  readonly field: YamlText | undefined;
  /** The count or sum at which it begins to hold, for good within its time; undefined: only the end of the window tells. */
  readonly atLeast: number | undefined;
}

/** By type: what it measures. */
export const MEASURED: Readonly<Record<string, Measure>> = {
  event_count: 'count',
  value_count: 'distinct',
  value_sum: 'sum',
  value_avg: 'average',
  value_median: 'median',
  value_percentile: 'percentile',
};
/** Reached by what comes in, one after the other. */
const GROWING: ReadonlySet<Measure> = new Set(['count', 'distinct', 'sum']);
const COUNTS = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const;
const BESIDES: readonly string[] = ['field', 'percentile'];

/** @throws Fault */
export function readCondition(type: string, node: Yaml | undefined, at: number): Wanted {
  const measure = MEASURED[type]!;
  const condition = mapOf(node, at);
  const bounds = boundsOf(condition);
  const field = measure === 'count' ? undefined : fieldOf(type, condition);
  const atLeast = GROWING.has(measure) ? reachedAt(measure, bounds) : undefined;
  checkBounds(measure, bounds, atLeast, condition.at);
  return { measure, bounds, field, atLeast, ...(measure === 'percentile' ? { percentile: which(condition) } : {}) };
}

/** The number of rules that is needed at least. @throws Fault when it holds from the start */
export function rulesOf(condition: YamlMap): number {
  const least = leastOf(boundsOf(condition));
  if (least >= 1) return least;
  throw new Fault(
    'unsupported',
    condition.at,
    'this holds with the first event: a count is reached from below',
    "Add 'gte' or 'gt'.",
  );
}

function mapOf(node: Yaml | undefined, at: number): YamlMap {
  if (node?.kind === 'map') return node;
  throw new Fault('missing-key', node?.at ?? at, "the correlation has no 'condition'", 'Write condition: { gte: 10 }.');
}

function boundsOf(condition: YamlMap): Bound[] {
  const bounds = condition.entries.flatMap(({ key, value, at }): Bound[] => {
    if (BESIDES.includes(key)) return [];
    switch (key) {
      case 'gte':
        return [{ is: 'at_least', value: comparedWith(value) }];
      case 'gt':
        return [{ is: 'above', value: comparedWith(value) }];
      case 'lte':
        return [{ is: 'at_most', value: comparedWith(value) }];
      case 'lt':
        return [{ is: 'below', value: comparedWith(value) }];
      case 'eq':
        return [
          { is: 'at_least', value: comparedWith(value) },
          { is: 'at_most', value: comparedWith(value) },
        ];
      case 'neq':
        throw new Fault(
          'unsupported',
          at,
          "'neq' would match nearly everything",
          "Say from where on: 'gt', 'gte', 'lt' or 'lte'.",
        );
      default:
        throw new Fault(
          'unknown-key',
          at,
          `unknown comparison '${key}'`,
          didYouMean(key, COUNTS, `One of: ${COUNTS.join(', ')}.`),
        );
    }
  });
  if (bounds.length > 0) return bounds;
  throw new Fault('missing-key', condition.at, 'the condition compares with nothing', 'Write condition: { gte: 10 }.');
}

function comparedWith(value: Yaml): number {
  const number = value.kind === 'text' ? numberOf(value.text) : undefined;
  if (number !== undefined) return number;
  const found = value.kind === 'text' ? `'${value.text}'` : `a ${value.kind}`;
  throw new Fault('value', value.at, `expected a number, found ${found}`);
}

const leastOf = (bounds: readonly Bound[]): number =>
  Math.max(
    0,
    ...bounds.map(({ is, value }) =>
      is === 'at_least' ? Math.ceil(value) : is === 'above' ? Math.floor(value) + 1 : 0,
    ),
  );

const greatestOf = (bounds: readonly Bound[]): number =>
  Math.min(
    ...bounds.map(({ is, value }) =>
      is === 'at_most' ? value : is === 'below' ? Math.ceil(value) - 1 : Number.POSITIVE_INFINITY,
    ),
  );

/** Where something that grows is asked to have come so far it is told at once; where it must also stay below, it is still told then. */
function reachedAt(measure: Measure, bounds: readonly Bound[]): number | undefined {
  const least = leastOf(bounds);
  const isOpen = bounds.every(({ is }) => is === 'at_least' || is === 'above');
  return least >= 1 && (isOpen || measure !== 'sum') ? least : undefined;
}

function checkBounds(measure: Measure, bounds: readonly Bound[], atLeast: number | undefined, at: number): void {
  const [least, greatest] = [leastOf(bounds), greatestOf(bounds)];
  if (GROWING.has(measure) && greatest < Math.max(least, measure === 'sum' ? Number.NEGATIVE_INFINITY : 1))
    throw new Fault(
      'value',
      at,
      'no count fits this condition',
      measure === 'sum' ? '' : 'What never comes is not counted: a count is 1 or more.',
    );
  const most =
    measure === 'count' ? LIMITS.thresholdEvents : measure === 'distinct' ? LIMITS.thresholdCount : LIMITS.thresholdSum;
  const asked = atLeast ?? (measure === 'distinct' ? greatest : 0);
  if (GROWING.has(measure) && asked > most)
    throw new Fault('value', at, `a ${measure === 'sum' ? 'sum' : 'count'} is at most ${most}, this asks for ${asked}`);
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
