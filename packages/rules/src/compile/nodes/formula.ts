import type { Expression, Test } from '../../model/expression.ts';
import { knownOnKind } from './known.ts';
import type { Node } from './node.ts';
import { Nodes } from './nodes.ts';

/** A comparison that must hold, or must not: then it may also be that its field is absent. */
export interface TestLiteral<E> {
  readonly kind: 'literal';
  readonly test: Test<E>;
  readonly holds: boolean;
}

/** A condition in negation normal form: `not` stands only at comparisons. */
export type Formula<E> =
  | { readonly kind: 'constant'; readonly value: boolean }
  | TestLiteral<E>
  | { readonly kind: 'and' | 'or'; readonly items: readonly Formula<E>[] };

/** Returns conditions in negation normal form. */
export class Formulas<E> {
  readonly #nodes = new Nodes<E>();
  readonly #memos = new Map<string, Map<number, Node<E>>>();

  whole(expression: Expression<E>): Formula<E> {
    return formulaOf(this.#nodes.fold(expression), true);
  }

  /** Returns the condition on events of one kind, without the comparisons that the kind decides. */
  on(kind: string, expression: Expression<E>): Formula<E> {
    const memo = this.#memos.get(kind) ?? new Map<number, Node<E>>();
    this.#memos.set(kind, memo);
    return formulaOf(this.#nodes.assume(this.#nodes.fold(expression), knownOnKind<E>(kind), memo), true);
  }
}

function formulaOf<E>(node: Node<E>, holds: boolean): Formula<E> {
  switch (node.kind) {
    case 'constant':
      return { kind: 'constant', value: node.value === holds };
    case 'test':
      return { kind: 'literal', test: node.test, holds };
    case 'not':
      return formulaOf(node.item, !holds);
    default: {
      const kind = (node.kind === 'and') === holds ? 'and' : 'or';
      return { kind, items: node.items.map((item) => formulaOf(item, holds)) };
    }
  }
}
