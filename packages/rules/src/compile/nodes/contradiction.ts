import type { Literal, Test, TestOperator } from '../../model/expression.ts';
import { holds } from '../evaluate.ts';
import type { Node } from './node.ts';

/** Comparisons of values that one search for a contradiction may take. */
const MAX_COMPARED = 1_000;
/** Operators that would be compiled anew for every compared value. */
const NOT_COMPARED: ReadonlySet<TestOperator> = new Set(['glob', 'regex', 'cidr']);

/** Whether one field would need two values at once: `x = a and x = b`, `x = cd and x startswith a`. */
export function contradicts<E>(items: readonly Node<E>[]): boolean {
  return items.some((item) => {
    if (item.kind !== 'test') return false;
    const { operand, operator, negated, values } = item.test;
    if (operator !== 'equals' || negated || operand.type === 'strings') return false;
    const candidates = items.filter(
      (candidate) => candidate !== item && testOf(candidate)?.operand.key === operand.key,
    );
    if (candidates.length === 0) return false;
    const work = values.length * candidates.reduce((sum, candidate) => sum + testOf(candidate)!.values.length, 0);
    return work <= MAX_COMPARED && !values.some((value) => candidates.every((candidate) => admits(candidate, value)));
  });
}

/** Returns the test of a field by its value alone, if it is cheap to decide. */
function testOf<E>(node: Node<E>): Test<E> | undefined {
  const inner = node.kind === 'not' ? node.item : node;
  if (inner.kind !== 'test' || inner.test.comparedWith !== undefined) return undefined;
  return NOT_COMPARED.has(inner.test.operator) ? undefined : inner.test;
}

const admits = <E>(node: Node<E>, value: Literal): boolean => holds(testOf(node)!, value) === (node.kind === 'test');
