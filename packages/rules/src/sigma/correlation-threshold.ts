import type { FieldValue } from '../catalogue.ts';
import { Fault } from '../errors.ts';
import type { Expression, Operand } from '../expression.ts';
import type { Threshold } from '../rule.ts';
import type { Context } from './context.ts';
import type { Correlation } from './correlation-document.ts';
import { chooser, madeOperand, unifiedOperand } from './correlation-field.ts';
import { type Built, conditionOf, type Found } from './rule.ts';

/** How often any of the rules match, how many values a field has then, or how many of the rules do. @throws Fault */
export function thresholdOf<E>(correlation: Correlation, members: readonly Built<E>[], context: Context<E>): Found<E> {
  const counted = members.findIndex(({ threshold, sequence }) => threshold !== undefined || sequence !== undefined);
  if (counted !== -1)
    throw new Fault(
      'unsupported',
      correlation.rules[counted]!.at,
      `'${correlation.type}' counts rules, not correlations`,
    );
  const anyMember: Expression<E> = { kind: 'or', items: members.map(conditionOf) };
  const operand = (text: { readonly text: string; readonly at: number }): Operand<E> =>
    unifiedOperand(text, correlation.aliases.get(text.text), members, context);
  const distinct = distinctOf(correlation, members, operand, context);
  const threshold: Threshold<E> = {
    atLeast: correlation.atLeast,
    distinct,
    weight: distinct === undefined ? context.operand('event.count') : undefined,
    by: correlation.groupBy.map(operand),
    withinUs: correlation.withinUs,
  };
  return {
    source: members[0]!.source,
    events: { kind: 'constant', value: true },
    detection: anyMember,
    condition: members.map(({ document }) => document.title).join(' or '),
    threshold,
    members,
    warned: members.every(({ warned }) => warned),
  };
}

function distinctOf<E>(
  { type, field, at }: Correlation,
  members: readonly Built<E>[],
  operand: (text: { readonly text: string; readonly at: number }) => Operand<E>,
  context: Context<E>,
): Operand<E> | undefined {
  if (field !== undefined) return operand(field);
  if (type === 'temporal_ordered')
    throw new Fault('unsupported', at, "in order all of the rules are needed: leave out 'condition'");
  if (type !== 'temporal') return undefined;
  const choose = chooser(members, context);
  const get = (event: E): FieldValue => choose(event)?.document.title;
  return madeOperand('rule', 'string', 'Which rule of the correlation it fits.', get);
}
