import type { Subject } from '../model/catalogue.ts';
import type { Operand } from '../model/expression.ts';
import type { Node } from './nodes/node.ts';

export function subjectOf<E>({ field, argument }: Operand<E>): Subject<E> | undefined {
  return typeof field.subject === 'function' ? field.subject(argument) : field.subject;
}

/** Returns the subject, the subject around it, and so on. */
export function around<E>(subject: Subject<E>): Subject<E>[] {
  return subject.within === undefined ? [subject] : [subject, ...around(subject.within)];
}

/** Splits the parts of a conjunction into those about the subject alone, or about a subject around it, and the rest. */
export function partOf<E>(
  node: Node<E>,
  subject: Subject<E>,
): { readonly part: readonly Node<E>[]; readonly rest: readonly Node<E>[] } {
  const items = node.kind === 'and' ? node.items : [node];
  return {
    part: items.filter((item) => isAbout(item, subject)),
    rest: items.filter((item) => !isAbout(item, subject)),
  };
}

/** Returns the first subject that a part of the condition is about alone. */
export function firstSubject<E>(node: Node<E>): Subject<E> | undefined {
  const items = node.kind === 'and' ? node.items : [node];
  for (const item of items) {
    const operand = firstOperand(item);
    const subject = operand && subjectOf(operand);
    const found = subject && around(subject).find((candidate) => isAbout(item, candidate));
    if (found !== undefined) return found;
  }
  return undefined;
}

function firstOperand<E>(node: Node<E>): Operand<E> | undefined {
  if (node.kind === 'test') return node.test.operand;
  if (node.kind === 'constant') return undefined;
  return firstOperand(node.kind === 'not' ? node.item : node.items[0]!);
}

function isAbout<E>(node: Node<E>, subject: Subject<E>): boolean {
  switch (node.kind) {
    case 'constant':
      return false;
    case 'test':
      return (
        isOf(node.test.operand, subject) &&
        (node.test.comparedWith === undefined || isOf(node.test.comparedWith, subject))
      );
    case 'not':
      return isAbout(node.item, subject);
    default:
      return node.items.every((item) => isAbout(item, subject));
  }
}

function isOf<E>(operand: Operand<E>, subject: Subject<E>): boolean {
  const found = subjectOf(operand);
  return found !== undefined && around(found).includes(subject);
}
