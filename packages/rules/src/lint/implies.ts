import { holds } from '../compile/evaluate.ts';
import type { Node } from '../compile/nodes/node.ts';
import { Nodes } from '../compile/nodes/nodes.ts';
import type { Expression, Literal, Test, TestOperator } from '../model/expression.ts';

/** Steps that one proof may take; an unfinished proof counts as none. */
const MAX_STEPS = 2_000;

/** Operators whose literal is contained in every matching text. */
const INSIDE: ReadonlySet<TestOperator> = new Set(['startswith', 'endswith', 'contains', 'pathprefix']);

/** Whether `b` provably holds whenever `a` does. false: it does not, or the proof takes too long. */
export function implies<E>(a: Node<E>, b: Node<E>): boolean {
  return new Proof().of(a, b);
}

/** Whether two conditions are equal after simplification. */
export function isSameCondition<E>(a: Expression<E>, b: Expression<E>): boolean {
  const nodes = new Nodes<E>();
  return nodes.fold(a) === nodes.fold(b);
}

class Proof {
  #steps = 0;

  of<E>(a: Node<E>, b: Node<E>): boolean {
    if (++this.#steps > MAX_STEPS) return false;
    if (a === b) return true;
    if (a.kind === 'constant' || b.kind === 'constant')
      return (a.kind === 'constant' && !a.value) || (b.kind === 'constant' && b.value);
    if (b.kind === 'and') return b.items.every((item) => this.of(a, item));
    if (a.kind === 'or') return a.items.every((item) => this.of(item, b));
    if (b.kind === 'or' && b.items.some((item) => this.of(a, item))) return true;
    if (a.kind === 'and') return a.items.some((item) => this.of(item, b));
    if (a.kind === 'not' && b.kind === 'not') return this.of(b.item, a.item);
    return a.kind === 'test' && b.kind === 'test' && testImplies(a.test, b.test);
  }
}

function testImplies<E>(a: Test<E>, b: Test<E>): boolean {
  if (a.operand.key !== b.operand.key) return false;
  // No comparison holds on an absent field.
  if (b.operator === 'exists') return true;
  if (a.comparedWith !== undefined || b.comparedWith !== undefined) return false;
  const alike = a.operator === b.operator && a.negated === b.negated && ANY_OF.has(a.operator);
  if (alike && (a.negated ? isSubset(b.values, a.values) : isSubset(a.values, b.values))) return true;
  if (a.negated || b.negated) return false;
  if (a.operator === 'equals') return a.values.every((value) => holds(b, value));
  return (
    INSIDE.has(a.operator) && a.values.every((value) => b.values.some((wider) => lies(a.operator, value, b, wider)))
  );
}

/** Whether every text that fits `value` also fits `wider`. */
function lies<E>(operator: TestOperator, value: Literal, b: Test<E>, wider: Literal): boolean {
  const [text, wanted] = [String(value), String(wider)];
  if (b.operator === 'contains') return text.includes(wanted);
  if (b.operator !== operator) return false;
  return operator === 'endswith' ? text.endsWith(wanted) : operator === 'startswith' && text.startsWith(wanted);
}

/** With several values any may fit, so fewer values are stricter. */
const ANY_OF: ReadonlySet<TestOperator> = new Set([
  'equals',
  'contains',
  'startswith',
  'endswith',
  'glob',
  'pathprefix',
  'regex',
  'cidr',
]);

function isSubset(part: readonly Literal[], whole: readonly Literal[]): boolean {
  if (part.length > whole.length) return false;
  const all = new Set(whole);
  return part.every((value) => all.has(value));
}
