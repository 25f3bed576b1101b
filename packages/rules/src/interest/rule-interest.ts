import type { Prepared } from '../compile/matcher.ts';
import { isPlain, type Known, knownOnKind, Possible, UNKNOWN } from '../compile/nodes/known.ts';
import type { Node } from '../compile/nodes/node.ts';
import type { Nodes } from '../compile/nodes/nodes.ts';
import type { FieldValue } from '../model/catalogue.ts';
import type { Operand, Test } from '../model/expression.ts';
import type { CompiledRule } from '../model/rule.ts';
import { type Cover, isExact, necessaryCover, union } from './cover.ts';
import { type FilteredForm, type FormInterest, formsOf } from './forms.ts';

/** What the rules can match: events outside of it may be dropped before they are matched. */
export interface RuleInterest<E> {
  /** Kinds of events on which some rule can match, in the order of the kinds. */
  readonly kinds: readonly string[];
  /** The tests of all conditions: the sources of the fields that they read must be present. */
  readonly tests: readonly Test<E>[];
  /** The fields that conditions, thresholds and outputs read, one of them several times where several parts read it. */
  readonly operands: readonly Operand<E>[];
  /** One entry for each of `CompileOptions.filtered`, in their order. */
  readonly paths: readonly PathInterest<E>[];
  /** One entry for each of `CompileOptions.forms`, in their order. */
  readonly forms: readonly FormInterest[];
}

/** Events that are filtered by a path before they are matched. */
export interface FilteredEvents {
  readonly kind: string;
  /** Names of the fields that hold its paths: an event is let through if one of them is covered. */
  readonly fields: readonly [string, ...string[]];
  /**
   * Name of the field with the path of its process's executable: an event is let through if the last component is
   * covered.
   * @default the filter ignores the executable
   */
  readonly executable?: string;
  /** Values that other fields have on the filtered events, by name: { 'file.open.write': false }. */
  readonly given?: Readonly<Record<string, Exclude<FieldValue, undefined>>>;
  /**
   * Values that fields never have on the filtered events, because events with these values are let through whatever
   * their path: { 'event.action': ['splice'] }.
   */
  readonly except?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Every path that some rule can match starts with one of `prefixes`, has a last component in `names`, or belongs to a
 * process whose executable is in `executables`.
 */
export interface PathInterest<E> extends Cover {
  /** Whole paths that some condition compares with, whether or not the events are filtered. */
  readonly files: readonly string[];
  /** Rules that can match any path. If there is one, the filter may not drop any event. */
  readonly unbounded: readonly CompiledRule<E>[];
}

type ByKind<E> = ReadonlyMap<string, ReadonlyMap<Node<E>, readonly number[]>>;

export function interestOf<E>(
  prepared: readonly Prepared<E>[],
  byKind: ByKind<E>,
  nodes: Nodes<E>,
  filtered: readonly FilteredEvents[],
  forms: readonly FilteredForm[],
): RuleInterest<E> {
  const kinds = [...byKind].filter(([, conditions]) => conditions.size > 0).map(([kind]) => kind);
  const paths = filtered.map((events) => pathsOf(prepared, byKind, nodes, events));
  const operands = prepared.flatMap(({ rule }) => rule.operands);
  return { kinds, tests: testsOf(byKind), operands, paths, forms: formsOf(byKind, nodes, forms) };
}

function testsOf<E>(byKind: ByKind<E>): readonly Test<E>[] {
  const tests: Test<E>[] = [];
  const seen = new Set<Node<E>>();
  const visit = (node: Node<E>): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === 'test') tests.push(node.test);
    if (node.kind === 'not') visit(node.item);
    if (node.kind === 'and' || node.kind === 'or') for (const item of node.items) visit(item);
  };
  for (const conditions of byKind.values()) for (const node of conditions.keys()) visit(node);
  return tests;
}

function pathsOf<E>(
  prepared: readonly Prepared<E>[],
  byKind: ByKind<E>,
  nodes: Nodes<E>,
  events: FilteredEvents,
): PathInterest<E> {
  const covers: Cover[] = [];
  const unbounded = new Set<number>();
  const known = knownOf<E>(events);
  const memo = new Map<number, Node<E>>();
  for (const [node, numbers] of byKind.get(events.kind) ?? []) {
    const cover = necessaryCover(nodes.assume(node, known, memo), events);
    if (cover === null) for (const number of numbers) unbounded.add(number);
    else covers.push(cover);
  }
  const numbers = [...unbounded].sort((a, b) => a - b);
  const files = filesOf(byKind.get(events.kind)?.keys() ?? [], events.fields);
  return { ...union(covers)!, files, unbounded: [...new Set(numbers.map((number) => prepared[number]!.rule))] };
}

/** Returns the absolute paths with which conditions compare one of the fields. Exceptions (`not`) don't count. */
function filesOf<E>(roots: Iterable<Node<E>>, fields: readonly string[]): string[] {
  const files = new Set<string>();
  const seen = new Set<Node<E>>();
  const visit = (node: Node<E>): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === 'and' || node.kind === 'or') for (const item of node.items) visit(item);
    if (node.kind !== 'test') return;
    const { operand, operator, negated, values } = node.test;
    if (negated || operator !== 'equals' || operand.transforms.length > 0 || !fields.includes(operand.field.name))
      return;
    for (const value of values.map(String)) if (value.startsWith('/') && isExact(value)) files.add(value);
  };
  for (const root of roots) visit(root);
  return [...files].sort();
}

/** Returns what is known of the filtered events. */
export function knownOf<E>({ kind, given = {}, except = {} }: FilteredEvents): Known<E> {
  const onKind = knownOnKind<E>(kind);
  return (operand) => {
    const { name } = operand.field;
    if (!isPlain(operand)) return onKind(operand);
    if (Object.hasOwn(given, name)) return given[name];
    const value = onKind(operand);
    const excepted = Object.hasOwn(except, name) ? except[name] : undefined;
    if (excepted === undefined || (value !== UNKNOWN && !(value instanceof Possible))) return value;
    return (value === UNKNOWN ? new Possible(() => true) : value).but(excepted);
  };
}
