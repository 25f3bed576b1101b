import { Fault } from '../../diagnostics/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Bound, Measure } from '../../model/rule.ts';
import type { YamlText } from '../file/yaml.ts';

/**
 * Measures that only grow with each event, so that a reached bound stays reached, with the largest value that a
 * threshold can ask for.
 */
const GROWING: Readonly<Partial<Record<Measure, number>>> = {
  count: LIMITS.thresholdEvents,
  distinct: LIMITS.thresholdCount,
  sum: LIMITS.thresholdSum,
};
/** The precision of numbers in written rules. */
const SMALLEST = 1e-6;

export const numberOf = (written: string): number | undefined =>
  /^-?\d{1,16}(\.\d{1,6})?$/.test(written) ? Number(written) : undefined;

/** Reads a bound of a measure. Distinct values are remembered one by one, so their number is limited. @throws Fault */
export function readBound(measure: Measure, { text, at }: YamlText): number {
  const number = numberOf(text);
  if (number === undefined) throw new Fault('value', at, `expected a number, found '${text}'`);
  if (measure !== 'distinct' || number <= LIMITS.thresholdCount) return number;
  const most = `different values are counted up to ${LIMITS.thresholdCount}`;
  throw new Fault('value', at, `${most}, this asks for ${number}`);
}

const isWhole = (measure: Measure): boolean => measure === 'count' || measure === 'distinct';
const isLower = ({ is }: Bound): boolean => is === 'at_least' || is === 'above';
const isStrict = ({ is }: Bound): boolean => is === 'above' || is === 'below';

/** Keeps one bound of each direction: the tightest. */
export function tightest(bounds: readonly Bound[]): Bound[] {
  const values = new Map<Bound['is'], number>();
  for (const bound of bounds) {
    const { is, value } = bound;
    const known = values.get(is) ?? value;
    values.set(is, isLower(bound) ? Math.max(known, value) : Math.min(known, value));
  }
  return [...values].map(([is, value]) => ({ is, value }));
}

/** Returns the least number within the bounds, if there is a lower bound. */
export function leastOf(measure: Measure, bounds: readonly Bound[]): number {
  const least = ({ is, value }: Bound): number => {
    if (isWhole(measure)) return is === 'above' ? Math.floor(value) + 1 : Math.ceil(value);
    return is === 'above' ? value + Math.max(SMALLEST, Math.abs(value) * Number.EPSILON) : value;
  };
  return Math.max(...bounds.filter(isLower).map(least));
}

/**
 * Returns the value from which on a threshold stays within the bounds; undefined: only the end of the window decides.
 * @throws Fault
 */
export function reachedAt(measure: Measure, bounds: readonly Bound[], at: number): number | undefined {
  const most = GROWING[measure];
  const least = leastOf(measure, bounds);
  if (most === undefined || !bounds.every(isLower) || least <= 0) return undefined;
  if (least <= most) return least;
  throw new Fault('value', at, `a ${measure === 'sum' ? 'sum' : 'count'} is at most ${most}, this asks for ${least}`);
}

/** Checks that some number is within the bounds. @throws Fault */
export function checkBounds(measure: Measure, bounds: readonly Bound[], at: number): void {
  if (!isEmpty(measure, bounds)) return;
  const [noun, hint] = isWhole(measure)
    ? ['count', 'A missing event is not counted: a count is 1 or more.']
    : ['number', ''];
  throw new Fault('value', at, `no ${noun} is within these bounds`, hint);
}

function isEmpty(measure: Measure, bounds: readonly Bound[]): boolean {
  const upper = bounds.filter((bound) => !isLower(bound));
  if (isWhole(measure)) {
    const greatest = upper.map(({ is, value }) => (is === 'below' ? Math.ceil(value) - 1 : Math.floor(value)));
    return Math.min(...greatest) < Math.max(1, leastOf(measure, bounds));
  }
  const least = Math.max(...bounds.filter(isLower).map(({ value }) => value));
  const greatest = Math.min(...upper.map(({ value }) => value));
  return least > greatest || (least === greatest && bounds.some((bound) => isStrict(bound) && bound.value === least));
}
