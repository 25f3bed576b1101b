import type { Expression, Operand } from '../expression.ts';
import type { FirstSeen, OutputPart, Threshold } from '../rule.ts';

/** What a rule reads, each once, in the order of first use. */
export function collectOperands<E>(
  expression: Expression<E>,
  counted?: Threshold<E> | FirstSeen<E>,
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
      if (part.other !== undefined) add(part.other);
    } else if (part.kind === 'not' || part.kind === 'named') visit(part.item);
    else if (part.kind !== 'constant') part.items.forEach(visit);
  };
  visit(expression);
  if (counted !== undefined && 'distinct' in counted && counted.distinct !== undefined) add(counted.distinct);
  counted?.by.forEach(add);
  for (const part of output ?? [])
    if (typeof part !== 'string') add('seconds' in part ? part.seconds : 'kept' in part ? part.operand : part);
  return [...found.values()];
}
