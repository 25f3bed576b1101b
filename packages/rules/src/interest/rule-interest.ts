import type { Prepared } from '../compile/matcher.ts';
import { isPlain, type Known, knownOnKind, Possible, UNKNOWN } from '../compile/nodes/known.ts';
import type { Node } from '../compile/nodes/node.ts';
import type { Nodes } from '../compile/nodes/nodes.ts';
import type { FieldValue } from '../model/catalogue.ts';
import type { CompiledRule } from '../model/rule.ts';
import { type Cover, necessaryCover, union } from './cover.ts';
import { type FilteredForm, type FormInterest, formsOf } from './forms.ts';

/** What the rules can match: what isn't covered may be dropped before it gets here. */
export interface RuleInterest<E> {
  /** kinds of events on which some rule can match, in the order of the kinds */
  readonly kinds: readonly string[];
  /** names of the fields that some condition may have to ask for: what they are made from must be there */
  readonly fields: ReadonlySet<string>;
  /** For each of `CompileOptions.filtered`, in their order. */
  readonly paths: readonly PathInterest<E>[];
  /** For each of `CompileOptions.forms`, in their order. */
  readonly forms: readonly FormInterest[];
}

/** Events that somebody filters by a path before they are matched. */
export interface FilteredEvents {
  readonly kind: string;
  /** Names of the fields that hold its paths: an event is let through when one of them is covered. */
  readonly fields: readonly [string, ...string[]];
  /** Name of the field that holds the path of its process's executable: an event is let through when that one's last component is asked for. @default nobody looks at it */
  readonly executable?: string;
  /** values that other fields have on the events that are filtered, by name: { 'file.open.write': false } */
  readonly given?: Readonly<Record<string, Exclude<FieldValue, undefined>>>;
  /** values that fields don't have on the events that are filtered, because those are let through whatever their path: { 'event.action': ['splice'] } */
  readonly except?: Readonly<Record<string, readonly string[]>>;
}

/** Every path that some rule can match begins with one of `prefixes`, its last component is one of `names`, or that of the process's executable one of `executables`. */
export interface PathInterest<E> extends Cover {
  /** Rules that can match any path. Unless there are none, nothing may be dropped. */
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
  return { kinds, fields: fieldsOf(byKind), paths, forms: formsOf(byKind, nodes, forms) };
}

function fieldsOf<E>(byKind: ByKind<E>): ReadonlySet<string> {
  const names = new Set<string>();
  const seen = new Set<Node<E>>();
  const visit = (node: Node<E>): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === 'test')
      for (const operand of [node.test.operand, node.test.other]) if (operand) names.add(operand.field.name);
    if (node.kind === 'not') visit(node.item);
    if (node.kind === 'and' || node.kind === 'or') for (const item of node.items) visit(item);
  };
  for (const conditions of byKind.values()) for (const node of conditions.keys()) visit(node);
  return names;
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
  return { ...union(covers)!, unbounded: [...new Set(numbers.map((number) => prepared[number]!.rule))] };
}

/** What is known of the events that are filtered. */
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
