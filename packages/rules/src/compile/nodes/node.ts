import type { Operand, Test, TestOperator } from '../../model/expression.ts';

/** A simplified expression. Equal nodes are one object in all rules, so a shared node is evaluated once. */
export type Node<E> =
  | { readonly id: number; readonly cost: number; readonly kind: 'constant'; readonly value: boolean }
  | { readonly id: number; readonly cost: number; readonly kind: 'test'; readonly test: Test<E> }
  | { readonly id: number; readonly cost: number; readonly kind: 'not'; readonly item: Node<E> }
  | { readonly id: number; readonly cost: number; readonly kind: 'and' | 'or'; readonly items: readonly Node<E>[] };

/** Cost of a test relative to comparing a number; only the order matters. */
const COST: Readonly<Record<TestOperator, number>> = {
  exists: 1,
  less: 1,
  lessOrEqual: 1,
  greater: 1,
  greaterOrEqual: 1,
  equals: 2,
  equalsField: 3,
  lessField: 3,
  lessOrEqualField: 3,
  greaterField: 3,
  greaterOrEqualField: 3,
  pathprefixField: 5,
  startswithField: 4,
  endswithField: 4,
  containsField: 9,
  startswith: 3,
  endswith: 3,
  pathprefix: 4,
  contains: 8,
  cidr: 10,
  glob: 20,
  regex: 100,
};
const TRANSFORM_COST = 5;
/**
 * Cost of reading an operand once per event: text is decoded from bytes, unless it was decoded for another event of its
 * process.
 */
const TEXT_COST = 4;
/** Returns the cost of evaluating a test. */
export function costOf<E>({ operator, operand }: Test<E>): number {
  return COST[operator] + readingCost(operand);
}

function readingCost<E>({ field, transforms }: Operand<E>): number {
  const isMade = field.subject === undefined && field.type !== 'bool' && field.type !== 'number';
  return TRANSFORM_COST * transforms.length + (isMade ? TEXT_COST : 0);
}
