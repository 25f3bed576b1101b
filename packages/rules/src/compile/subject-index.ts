import type { FieldValue } from '../catalogue.ts';
import type { Operand } from '../expression.ts';
import type { Condition } from './closures.ts';
import type { LiteralIndex } from './literal-index.ts';
import type { Node } from './nodes.ts';

export type Subject<E> = (event: E) => object | null | undefined;
type Take = (entry: number) => void;

/** Stands for the subject that is not there: a host's process has no container. */
const NOBODY = {};
const NONE: readonly number[] = [];

/** A literal index with the reader of its operand. */
export interface Lookup<E> {
  readonly index: LiteralIndex<E>;
  readonly read: () => FieldValue;
}

/**
 * Which entries the facts of a subject (a process, a container) make worth evaluating. Found for the first of its events, and remembered for those
 * that follow: a process opens many files.
 */
export class SubjectIndex<E> {
  readonly #of: Subject<E>;
  readonly #lookups: readonly Lookup<E>[];
  /** entries that have no clue among the subject's facts */
  readonly #others: readonly number[];
  /** by entry: what of its condition the subject's facts decide */
  readonly #parts: ReadonlyMap<number, Condition>;
  readonly #found = new WeakMap<object, readonly number[]>();
  #last: object = NOBODY;
  #lastFound: readonly number[] | undefined;

  constructor(
    of: Subject<E>,
    lookups: readonly Lookup<E>[],
    others: readonly number[],
    parts: ReadonlyMap<number, Condition>,
  ) {
    this.#of = of;
    this.#lookups = lookups;
    this.#others = others;
    this.#parts = parts;
  }

  /** Calls `whole` for entries to evaluate whole, or `rest` for those of which only the rest is to be evaluated. */
  find(event: E, whole: Take, rest: Take): void {
    const subject = this.#of(event);
    if (subject === undefined) {
      this.#search(whole);
      return;
    }
    const found = this.#remembered(subject ?? NOBODY);
    for (let i = 0; i < found.length; i++) rest(found[i]!);
  }

  #remembered(subject: object): readonly number[] {
    if (subject === this.#last && this.#lastFound !== undefined) return this.#lastFound;
    let found = this.#found.get(subject);
    if (found === undefined) {
      found = this.#searched();
      this.#found.set(subject, found);
    }
    this.#last = subject;
    this.#lastFound = found;
    return found;
  }

  #searched(): readonly number[] {
    const found = new Set<number>();
    this.#search((entry) => {
      if (this.#parts.get(entry)?.() !== false) found.add(entry);
    });
    return found.size === 0 ? NONE : [...found];
  }

  #search(take: Take): void {
    for (let i = 0; i < this.#lookups.length; i++) {
      const { index, read } = this.#lookups[i]!;
      index.find(read(), take);
    }
    for (let i = 0; i < this.#others.length; i++) take(this.#others[i]!);
  }
}

/** What of a condition's parts, all of which must hold, is about the subject alone, and the rest. */
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

/** The first subject that a part of the condition is about alone. */
export function subjectOf<E>(node: Node<E>): Subject<E> | undefined {
  const items = node.kind === 'and' ? node.items : [node];
  const tested = items.map((item) => firstTest(item)?.operand.field.subject);
  return tested.find((subject, i) => subject !== undefined && isAbout(items[i]!, subject));
}

function firstTest<E>(node: Node<E>): { readonly operand: Operand<E> } | undefined {
  if (node.kind === 'test') return node.test;
  if (node.kind === 'constant') return undefined;
  return firstTest(node.kind === 'not' ? node.item : node.items[0]!);
}

function isAbout<E>(node: Node<E>, subject: Subject<E>): boolean {
  switch (node.kind) {
    case 'constant':
      return false;
    case 'test':
      return (
        node.test.operand.field.subject === subject &&
        (node.test.other === undefined || node.test.other.field.subject === subject)
      );
    case 'not':
      return isAbout(node.item, subject);
    default:
      return node.items.every((item) => isAbout(item, subject));
  }
}
