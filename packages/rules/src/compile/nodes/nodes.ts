import type { Expression, Test, TestOperator } from '../../model/expression.ts';
import { holds } from '../evaluate.ts';
import { contradicts } from './contradiction.ts';
import { type Known, PartlyKnown, UNKNOWN } from './known.ts';
import { costOf, type Node } from './node.ts';

const MERGED: ReadonlySet<TestOperator> = new Set([
  'equals',
  'contains',
  'startswith',
  'endswith',
  'pathprefix',
  'glob',
  'regex',
  'cidr',
]);

/** Creates simplified nodes, each only once. */
export class Nodes<E> {
  readonly #byKey = new Map<string, Node<E>>();
  readonly #folded = new WeakMap<Expression<E>, Node<E>>();
  readonly always: Node<E> = { id: 0, cost: 0, kind: 'constant', value: true };
  readonly never: Node<E> = { id: 1, cost: 0, kind: 'constant', value: false };
  #nextId = 2;

  /** Evaluates constants, flattens junctions, merges comparisons of one field, and puts cheap parts first. */
  fold(expression: Expression<E>): Node<E> {
    const done = this.#folded.get(expression);
    if (done !== undefined) return done;
    const node = this.#fold(expression);
    this.#folded.set(expression, node);
    return node;
  }

  /** Returns what remains of a node when some operands are known. `memo` holds the results for one `known`. */
  assume(node: Node<E>, known: Known<E>, memo: Map<number, Node<E>>): Node<E> {
    const done = memo.get(node.id);
    if (done !== undefined) return done;
    const result = this.#assume(node, known, memo);
    memo.set(node.id, result);
    return result;
  }

  #fold(expression: Expression<E>): Node<E> {
    switch (expression.kind) {
      case 'constant':
        return expression.value ? this.always : this.never;
      case 'named':
        return this.fold(expression.item);
      case 'not':
        return this.#not(this.fold(expression.item));
      case 'test':
        return this.#test(expression);
      default:
        return this.#junction(
          expression.kind,
          expression.items.map((item) => this.fold(item)),
        );
    }
  }

  #assume(node: Node<E>, known: Known<E>, memo: Map<number, Node<E>>): Node<E> {
    switch (node.kind) {
      case 'constant':
        return node;
      case 'not': {
        const item = this.assume(node.item, known, memo);
        return item === node.item ? node : this.#not(item);
      }
      case 'test':
        return this.#decide(node, node.test, known);
      default:
        return this.#assumeAll(node, node.items, known, memo);
    }
  }

  /**
   * Fast path: one part decides most rules, which are about another kind; in the others most parts stay as they are.
   */
  #assumeAll(
    node: Node<E> & { readonly kind: 'and' | 'or' },
    items: readonly Node<E>[],
    known: Known<E>,
    memo: Map<number, Node<E>>,
  ): Node<E> {
    const decisive = node.kind === 'and' ? this.never : this.always;
    const remaining: Node<E>[] = [];
    for (const item of items) {
      const result = this.assume(item, known, memo);
      if (result === decisive) return decisive;
      remaining.push(result);
    }
    return remaining.every((result, i) => result === items[i]) ? node : this.#junction(node.kind, remaining);
  }

  #decide(node: Node<E>, test: Test<E>, known: Known<E>): Node<E> {
    const value = known(test.operand);
    const otherValue = test.comparedWith === undefined ? undefined : known(test.comparedWith);
    if (value === undefined || (test.comparedWith !== undefined && otherValue === undefined)) return this.never;
    if (value instanceof PartlyKnown)
      return this.#decided(node, test.comparedWith === undefined ? value.decides(test) : undefined);
    if (value === UNKNOWN || otherValue === UNKNOWN || otherValue instanceof PartlyKnown) return node;
    return holds(test, value, otherValue) ? this.always : this.never;
  }

  #decided(node: Node<E>, holds: boolean | undefined): Node<E> {
    if (holds === undefined) return node;
    return holds ? this.always : this.never;
  }

  #not(item: Node<E>): Node<E> {
    if (item.kind === 'constant') return item.value ? this.never : this.always;
    if (item.kind === 'not') return item.item;
    return this.#intern(`!${item.id}`, (id) => ({ id, cost: item.cost, kind: 'not', item }));
  }

  #test(test: Test<E>): Node<E> {
    if (MERGED.has(test.operator) && test.values.length === 0) {
      return test.negated ? this.#test({ ...test, operator: 'exists', negated: false }) : this.never;
    }
    const key = JSON.stringify([test.operator, test.negated, test.operand.key, test.comparedWith?.key, test.values]);
    const cost = costOf(test);
    return this.#intern(key, (id) => ({ id, cost, kind: 'test', test }));
  }

  #junction(kind: 'and' | 'or', parts: readonly Node<E>[]): Node<E> {
    const neutral = kind === 'and' ? this.always : this.never;
    const decisive = kind === 'and' ? this.never : this.always;
    const items = new Map<number, Node<E>>();
    for (const part of this.#merge(kind, flatten(kind, parts))) if (part !== neutral) items.set(part.id, part);
    if (items.has(decisive.id)) return decisive;
    for (const item of items.values()) if (item.kind === 'not' && items.has(item.item.id)) return decisive;
    if (items.size === 0) return neutral;
    const sorted = [...items.values()].sort((a, b) => a.cost - b.cost || a.id - b.id);
    if (sorted.length === 1) return sorted[0]!;
    if (kind === 'and' && contradicts(sorted)) return this.never;
    const cost = sorted.reduce((sum, item) => sum + item.cost, 0);
    return this.#intern(`${kind}${sorted.map((item) => item.id).join()}`, (id) => ({ id, cost, kind, items: sorted }));
  }

  /** Merges `x = a or x = b` into `x in (a, b)`, and `x != a and x != b` into `x not in (a, b)`. */
  #merge(kind: 'and' | 'or', items: readonly Node<E>[]): Node<E>[] {
    const groups = new Map<string, Test<E>[]>();
    const rest: Node<E>[] = [];
    for (const item of items) {
      const mergeable =
        item.kind === 'test' && MERGED.has(item.test.operator) && item.test.negated === (kind === 'and');
      if (!mergeable) {
        rest.push(item);
        continue;
      }
      const key = `${item.test.operator} ${item.test.operand.key}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [item.test]);
      else group.push(item.test);
    }
    for (const tests of groups.values()) {
      const values = new Set(tests.flatMap((test) => test.values));
      rest.push(this.#test({ ...tests[0]!, values: [...values] }));
    }
    return rest;
  }

  #intern(key: string, make: (id: number) => Node<E>): Node<E> {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const node = make(this.#nextId++);
    this.#byKey.set(key, node);
    return node;
  }
}

function flatten<E>(kind: 'and' | 'or', items: readonly Node<E>[]): Node<E>[] {
  return items.flatMap((item) => (item.kind === kind ? item.items : [item]));
}
