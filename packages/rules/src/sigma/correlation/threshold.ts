import { Fault } from '../../diagnostics/errors.ts';
import type { YamlText } from '../../language/file/yaml.ts';
import { requireNumber } from '../../language/memory/threshold.ts';
import type { FieldValue } from '../../model/catalogue.ts';
import type { Expression, Operand } from '../../model/expression.ts';
import type { Threshold } from '../../model/rule.ts';
import type { Context } from '../context.ts';
import { type Built, conditionOf, type Found } from '../rule.ts';
import type { WantedMeasure } from './condition.ts';
import type { Correlation, WantedRules } from './document.ts';
import { chooser, madeOperand, unifiedOperand } from './field.ts';

/**
 * Counts the matches of any of the rules, measures the values of a field in them, or counts the rules that match.
 * @throws Fault
 */
export function thresholdOf<E>(correlation: Correlation, members: readonly Built<E>[], context: Context<E>): Found<E> {
  const counted = members.findIndex(
    ({ threshold, summary, sequence }) => threshold !== undefined || summary !== undefined || sequence !== undefined,
  );
  if (counted !== -1)
    throw new Fault(
      'unsupported',
      correlation.rules[counted]!.at,
      `'${correlation.type}' counts rules, not correlations`,
    );
  const anyMember: Expression<E> = { kind: 'or', items: members.map(conditionOf) };
  const operand = (text: YamlText): Operand<E> =>
    unifiedOperand(text, correlation.aliases.get(text.text), members, context);
  const by = correlation.groupBy.map(operand);
  const { wanted, withinUs } = correlation;
  return {
    source: members[0]!.source,
    events: { kind: 'constant', value: true },
    detection: anyMember,
    condition: members.map(({ document }) => document.title).join(' or '),
    ...('measure' in wanted
      ? measuredOf(wanted, operand, by, withinUs, context)
      : { threshold: rulesThreshold(correlation, wanted, members, by, context) }),
    members,
    warned: members.every(({ warned }) => warned),
  };
}

/** Returns a threshold if the bound stays reached once it is reached, otherwise a summary at the end of the window. */
function measuredOf<E>(
  wanted: WantedMeasure,
  operandOf: (name: YamlText) => Operand<E>,
  by: readonly Operand<E>[],
  withinUs: number,
  context: Context<E>,
): Pick<Found<E>, 'threshold' | 'summary'> {
  const { measure, bounds, atLeast } = wanted;
  const of = valuesOf(wanted, operandOf);
  const weight = measure === 'count' ? context.operand('event.count') : undefined;
  if (atLeast === undefined) {
    const percentile = measure === 'percentile' ? { percentile: wanted.percentile } : {};
    return { summary: { measure, of, weight, bounds, by, withinUs, ...percentile } };
  }
  const distinct = measure === 'distinct' ? of : undefined;
  const sum = measure === 'sum' && of !== undefined ? { sum: of } : {};
  return { threshold: { atLeast, distinct, weight, by, withinUs, ...sum } };
}

/** Returns the measured field; undefined: events are counted. @throws Fault */
function valuesOf<E>(wanted: WantedMeasure, operandOf: (name: YamlText) => Operand<E>): Operand<E> | undefined {
  if (wanted.measure === 'count') return undefined;
  const operand = operandOf(wanted.field);
  return wanted.measure === 'distinct' ? operand : requireNumber(operand, wanted.field.at);
}

/** Returns a threshold on the number of rules that match. @throws Fault */
function rulesThreshold<E>(
  { at, withinUs }: Correlation,
  { needed, ordered }: WantedRules,
  members: readonly Built<E>[],
  by: readonly Operand<E>[],
  context: Context<E>,
): Threshold<E> {
  if (ordered) throw new Fault('unsupported', at, "temporal_ordered needs all of its rules: leave out 'condition'");
  const choose = chooser(members, context);
  const get = (event: E): FieldValue => {
    const chosen = choose(event);
    return chosen && members.indexOf(chosen);
  };
  const distinct = madeOperand('rule', 'number', 'Which rule of the correlation it fits.', get);
  return { atLeast: needed, distinct, weight: undefined, by, withinUs };
}
