import type { Expression, Operand } from '../../model/expression.ts';
import type { FirstSeen, OutputPart, Summary, Threshold } from '../../model/rule.ts';

export type Counted<E> = Threshold<E> | Summary<E> | FirstSeen<E>;

/** Returns the operands that are read to count an event: its group and its counted value. */
export function countedOperands<E>(counted: Counted<E> | undefined): readonly Operand<E>[] {
  return counted === undefined ? [] : [...measuredOperands(counted), ...counted.by];
}

/**
 * Returns the operands that an event must have to be counted. An absent value of `by` forms a group of its own, except
 * for `first_seen`.
 */
export function neededOperands<E>(counted: Counted<E> | undefined): readonly Operand<E>[] {
  if (counted === undefined) return [];
  return 'learnUs' in counted ? counted.by : measuredOperands(counted);
}

function measuredOperands<E>(counted: Counted<E>): Operand<E>[] {
  const measured = 'learnUs' in counted ? [] : 'measure' in counted ? [counted.of] : [counted.distinct, counted.sum];
  return measured.filter((operand) => operand !== undefined);
}

/** Returns the operands that a rule reads, each once, in the order of first use. */
export function collectOperands<E>(
  expression: Expression<E>,
  counted?: Counted<E>,
  output?: readonly OutputPart<E>[],
): Operand<E>[] {
  const found = new Map<string, Operand<E>>();
  const seen = new Set<Expression<E>>();
  const add = (operand: Operand<E>): void => {
    if (!found.has(operand.key)) found.set(operand.key, operand);
  };
  const visit = (part: Expression<E>): void => {
    if (seen.has(part)) return;
    seen.add(part);
    if (part.kind === 'test') {
      add(part.operand);
      if (part.comparedWith !== undefined) add(part.comparedWith);
    } else if (part.kind === 'not' || part.kind === 'named') visit(part.item);
    else if (part.kind !== 'constant') part.items.forEach(visit);
  };
  visit(expression);
  countedOperands(counted).forEach(add);
  for (const part of output ?? [])
    if (typeof part !== 'string') add('seconds' in part ? part.seconds : 'kept' in part ? part.operand : part);
  return [...found.values()];
}
