import type { FieldValue } from '../catalogue.ts';
import { Fault } from '../errors.ts';
import type { Expression, Operand } from '../expression.ts';
import { requireNumber } from '../language/threshold.ts';
import type { YamlText } from '../language/yaml.ts';
import type { Threshold } from '../rule.ts';
import type { Context } from './context.ts';
import type { Wanted } from './correlation-condition.ts';
import type { Correlation } from './correlation-document.ts';
import { chooser, madeOperand, unifiedOperand } from './correlation-field.ts';
import { type Built, conditionOf, type Found } from './rule.ts';

/** How often any of the rules match, what the values of a field come to then, or how many of the rules do. @throws Fault */
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
    ...(wanted === undefined
      ? { threshold: rulesThreshold(correlation, members, by, context) }
      : countedOf(wanted, operand, by, withinUs, context)),
    members,
    warned: members.every(({ warned }) => warned),
  };
}

/** At once, where it is reached for good by what comes in, else when the window is over. */
function countedOf<E>(
  { measure, field, bounds, percentile, atLeast }: Wanted,
  operandOf: (name: YamlText) => Operand<E>,
  by: readonly Operand<E>[],
  withinUs: number,
  context: Context<E>,
): Pick<Found<E>, 'threshold' | 'summary'> {
  const of = field && operandOf(field);
  if (measure !== 'count' && measure !== 'distinct') requireNumber(of!, field!.at);
  const weight = measure === 'count' ? context.operand('event.count') : undefined;
  if (atLeast === undefined)
    return {
      summary: { measure, of, weight, bounds, by, withinUs, ...(percentile === undefined ? {} : { percentile }) },
    };
  const distinct = measure === 'distinct' ? of : undefined;
  return { threshold: { atLeast, distinct, weight, by, withinUs, ...(measure === 'sum' ? { sum: of! } : {}) } };
}

/** How many of the rules match. @throws Fault */
function rulesThreshold<E>(
  { type, at, rulesNeeded, withinUs }: Correlation,
  members: readonly Built<E>[],
  by: readonly Operand<E>[],
  context: Context<E>,
): Threshold<E> {
  if (type === 'temporal_ordered')
    throw new Fault('unsupported', at, "in order all of the rules are needed: leave out 'condition'");
  const choose = chooser(members, context);
  const get = (event: E): FieldValue => choose(event)?.document.title;
  const distinct = madeOperand('rule', 'string', 'Which rule of the correlation it fits.', get);
  return { atLeast: rulesNeeded, distinct, weight: undefined, by, withinUs };
}
