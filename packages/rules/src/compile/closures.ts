import type { FieldValue } from '../model/catalogue.ts';
import type { FieldOperator, Literal, Operand, Test } from '../model/expression.ts';
import { compileGlob } from '../text/glob.ts';
import { compileNetworks, parseNetwork } from '../text/ip.ts';
import { compileRegex } from '../text/regex.ts';
import type { Node } from './nodes/node.ts';
import { type Condition, Junction } from './order/junction.ts';
import type { Junctions } from './order/meter.ts';
import { TextTable } from './search/text-table.ts';
import { Trie, type TrieLiteral } from './search/trie.ts';
import type { Slots } from './slots.ts';

/** Whether a value fits any of a test's literals. */
export type Fits = (item: never) => boolean;

/** Below this cost, caching a result costs what it saves. */
const WORTH_REMEMBERING = 7;
/** From this number on, one pass for all literals beats one search each. */
const MANY_LITERALS = 8;

/** Builds closures from nodes, each node once. No text of a rule is ever run as code. */
export class Closures<E> {
  readonly #slots: Slots<E>;
  readonly #uses: ReadonlyMap<number, number>;
  readonly #fitters: Map<number, Fits>;
  readonly #junctions: Junctions;
  readonly #built = new Map<number, Condition>();

  /**
   * `roots`: all conditions that can be evaluated on one event; `fitters` (by node) and `junctions` are shared between
   * kinds.
   */
  constructor(slots: Slots<E>, roots: Iterable<Node<E>>, fitters: Map<number, Fits>, junctions: Junctions = new Map()) {
    this.#slots = slots;
    this.#fitters = fitters;
    this.#junctions = junctions;
    this.#uses = countUses(roots);
  }

  build(node: Node<E>): Condition {
    const known = this.#built.get(node.id);
    if (known !== undefined) return known;
    const plain = this.#build(node);
    const shared = (this.#uses.get(node.id) ?? 0) > 1 && node.cost >= WORTH_REMEMBERING;
    const condition = shared ? this.#of(plain, this.#slots.remembered(plain)) : plain;
    this.#built.set(node.id, condition);
    return condition;
  }

  /** Returns the condition that all of them hold. */
  all(nodes: readonly Node<E>[]): Condition {
    return nodes.length === 0 ? () => true : this.#junction('and', nodes);
  }

  #build(node: Node<E>): Condition {
    switch (node.kind) {
      case 'constant':
        return node.value ? () => true : () => false;
      case 'not': {
        const item = this.build(node.item);
        return this.#of(item, () => !item());
      }
      case 'and':
      case 'or':
        return this.#junction(node.kind, node.items);
      default:
        return this.#test(node.id, node.test);
    }
  }

  #junction(kind: 'and' | 'or', nodes: readonly Node<E>[]): Condition {
    if (nodes.length === 1) return this.build(nodes[0]!);
    const junction = new Junction(
      kind,
      nodes.map((node) => this.build(node)),
    );
    this.#junctions.set(junction.condition, junction);
    return junction.condition;
  }

  /** Registers `condition` as evaluating the same junction as `inner`. */
  #of(inner: Condition, condition: Condition): Condition {
    const junction = this.#junctions.get(inner);
    if (junction !== undefined) this.#junctions.set(condition, junction);
    return condition;
  }

  #test(id: number, test: Test<E>): Condition {
    const read = this.#slots.reader(test.operand);
    const { negated } = test;
    if (test.operator === 'exists') return () => read() !== undefined;
    if (test.comparedWith !== undefined) return this.#fieldTest(test, test.comparedWith);
    const fits = this.#fitter(id, test) as (item: Literal) => boolean;
    if (test.operand.type !== 'strings') {
      return () => {
        const value = read() as Literal | undefined;
        return value !== undefined && fits(value) !== negated;
      };
    }
    return () => {
      const items = read() as readonly string[] | undefined;
      return items !== undefined && some(items, fits) !== negated;
    };
  }

  #fitter(id: number, test: Test<E>): Fits {
    const known = this.#fitters.get(id) ?? fitter(test);
    this.#fitters.set(id, known);
    return known;
  }

  #fieldTest(test: Test<E>, operand: Operand<E>): Condition {
    const read = this.#slots.reader(test.operand);
    const readOther = this.#slots.reader(operand);
    const { negated } = test;
    const fits = FIELD_TESTS[test.operator as FieldOperator];
    return () => {
      const value = read();
      const otherValue = readOther();
      if (value === undefined || otherValue === undefined) return false;
      return someFits(value, otherValue, fits) !== negated;
    };
  }
}

const FIELD_TESTS: Readonly<Record<FieldOperator, (value: Literal, otherValue: Literal) => boolean>> = {
  equalsField: (value, otherValue) => value === otherValue,
  lessField: (value, otherValue) => value < otherValue,
  lessOrEqualField: (value, otherValue) => value <= otherValue,
  greaterField: (value, otherValue) => value > otherValue,
  greaterOrEqualField: (value, otherValue) => value >= otherValue,
  containsField: (value, otherValue) => String(value).includes(String(otherValue)),
  startswithField: (value, otherValue) => String(value).startsWith(String(otherValue)),
  endswithField: (value, otherValue) => String(value).endsWith(String(otherValue)),
  pathprefixField: (value, otherValue) => isAtOrBelow(String(value), String(otherValue)),
};

type Value = Exclude<FieldValue, undefined>;

/** Whether any of one field's values fits any of the other's. */
function someFits(value: Value, otherValue: Value, fits: (value: Literal, otherValue: Literal) => boolean): boolean {
  if (typeof value === 'object') return value.some((item) => someFits(item, otherValue, fits));
  return typeof otherValue === 'object' ? otherValue.some((item) => fits(value, item)) : fits(value, otherValue);
}

function some(items: readonly string[], fits: (item: Literal) => boolean): boolean {
  for (let i = 0; i < items.length; i++) if (fits(items[i]!)) return true;
  return false;
}

function fitter<E>(test: Test<E>): Fits {
  const [first] = test.values;
  const number = first as number;
  switch (test.operator) {
    case 'equals':
      return equality(test.values);
    case 'less':
      return (item: number) => item < number;
    case 'lessOrEqual':
      return (item: number) => item <= number;
    case 'greater':
      return (item: number) => item > number;
    case 'greaterOrEqual':
      return (item: number) => item >= number;
    case 'cidr':
      return compileNetworks(test.values.map((value) => parseNetwork(value as string)!));
    case 'glob':
      return anyText(test.values.map((value) => compileGlob(value as string)));
    case 'regex':
      return anyText(test.values.map((value) => compileRegex(value as string)));
    default:
      return literalFitter(test.operator, test.values as readonly string[]);
  }
}

function equality(values: readonly Literal[]): (item: Literal) => boolean {
  const [first, second] = values;
  if (values.length === 1) return (item) => item === first;
  if (values.length === 2) return (item) => item === first || item === second;
  const set = new Set(values);
  return (item) => set.has(item);
}

function literalFitter(operator: string, values: readonly string[]): (item: string) => boolean {
  if (values.length >= MANY_LITERALS) {
    const table = manyLiterals(operator, values);
    if (table !== undefined) return table;
  }
  switch (operator) {
    case 'contains':
      return anyText(values.map((literal) => (text) => text.includes(literal)));
    case 'startswith':
      return anyText(values.map((literal) => (text) => text.startsWith(literal)));
    case 'endswith':
      return anyText(values.map((literal) => (text) => text.endsWith(literal)));
    default:
      return anyText(values.map((literal) => (text) => isAtOrBelow(text, literal)));
  }
}

function manyLiterals(operator: string, values: readonly string[]): ((text: string) => boolean) | undefined {
  const literals = values.map((text, number) => ({ text, whole: false, number }));
  if (operator === 'contains') {
    const table = TextTable.build(literals);
    return table === undefined ? undefined : (text) => table.some(text);
  }
  const trie =
    operator === 'pathprefix' ? Trie.build(values.flatMap(atOrBelow)) : Trie.build(literals, operator === 'endswith');
  return trie === undefined ? undefined : (text) => trie.some(text);
}

/** Every absolute path is below the root. */
function atOrBelow(path: string, number: number): TrieLiteral[] {
  const inside = { text: path === '/' ? path : `${path}/`, whole: false, number };
  return path === '/' ? [inside] : [{ text: path, whole: true, number }, inside];
}

/** `literal` is a path without a slash at its end, or the root. */
function isAtOrBelow(text: string, literal: string): boolean {
  if (!text.startsWith(literal)) return false;
  return literal === '/' || text.length === literal.length || text.charCodeAt(literal.length) === 47;
}

function anyText(fits: readonly ((text: string) => boolean)[]): (text: string) => boolean {
  if (fits.length === 1) return fits[0]!;
  return (text) => {
    for (let i = 0; i < fits.length; i++) if (fits[i]!(text)) return true;
    return false;
  };
}

/** Counts how many places use each node, over all rules. */
function countUses<E>(roots: Iterable<Node<E>>): Map<number, number> {
  const uses = new Map<number, number>();
  const visit = (node: Node<E>): void => {
    const count = uses.get(node.id) ?? 0;
    uses.set(node.id, count + 1);
    if (count > 0) return;
    if (node.kind === 'not') visit(node.item);
    else if (node.kind === 'and' || node.kind === 'or') for (const item of node.items) visit(item);
  };
  for (const root of roots) visit(root);
  return uses;
}
