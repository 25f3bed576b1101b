import { Fault } from '../errors.ts';
import type { Expression, Operand } from '../expression.ts';
import type { Threshold } from '../rule.ts';
import type { Context } from './context.ts';
import type { Correlation } from './correlation-document.ts';
import { unifiedOperand } from './correlation-field.ts';
import type { Built } from './rule.ts';

type Counted<E> = Pick<Built<E>, 'source' | 'events' | 'detection' | 'condition' | 'threshold' | 'warned'>;

/** How often any of the rules match, or how many values a field has then. @throws Fault */
export function thresholdOf<E>(
  correlation: Correlation,
  members: readonly Built<E>[],
  context: Context<E>,
): Counted<E> {
  if (correlation.type.startsWith('temporal'))
    throw new Fault('unsupported', correlation.at, `'${correlation.type}' is not supported yet`);
  const any: Expression<E> = { kind: 'or', items: members.map(conditionOf) };
  const operand = (text: { readonly text: string; readonly at: number }): Operand<E> =>
    unifiedOperand(text, correlation.aliases.get(text.text), members, context);
  const threshold: Threshold<E> = {
    atLeast: correlation.atLeast,
    distinct: correlation.field === undefined ? undefined : operand(correlation.field),
    weight: undefined,
    by: correlation.groupBy.map(operand),
    withinUs: correlation.withinUs,
  };
  return {
    source: members[0]!.source,
    events: { kind: 'constant', value: true },
    detection: any,
    condition: members.map(({ document }) => document.title).join(' or '),
    threshold,
    warned: members.every(({ warned }) => warned),
  };
}

export function conditionOf<E>({ events, detection, document }: Built<E>): Expression<E> {
  return { kind: 'named', name: document.title, local: true, item: { kind: 'and', items: [events, detection] } };
}
