import type { Expression } from '../../model/expression.ts';
import { type Known, knownOnKind } from './known.ts';
import type { Node } from './node.ts';
import type { Nodes } from './nodes.ts';

/** Returns the kinds of events on which a condition can hold. */
export type KindsOf<E> = (condition: Expression<E>) => string[];

/** Caches the remaining nodes for all conditions. */
export function possibleKinds<E>(kinds: readonly string[], nodes: Nodes<E>): KindsOf<E> {
  const onKind = kinds.map((kind): { kind: string; known: Known<E>; memo: Map<number, Node<E>> } => {
    return { kind, known: knownOnKind(kind), memo: new Map() };
  });
  return (condition) => {
    const node = nodes.fold(condition);
    return onKind.filter(({ known, memo }) => nodes.assume(node, known, memo) !== nodes.never).map(({ kind }) => kind);
  };
}
