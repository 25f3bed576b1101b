import type { FieldValue } from './catalogue.ts';
import { type Cover, necessaryCover, union } from './compile/cover.ts';
import { type Known, knownOnKind, type Node, type Nodes } from './compile/nodes.ts';
import type { CompiledRule } from './rule.ts';

/** What the rules can match: what isn't covered may be dropped before it gets here. */
export interface RuleInterest<E> {
  /** kinds of events on which some rule can match, in the order of the kinds */
  readonly kinds: readonly string[];
  /** The answer to `CompileOptions.filtered`; undefined: nothing was asked. */
  readonly paths: PathInterest<E> | undefined;
}

/** Events that somebody filters by a path before they are matched. */
export interface FilteredEvents {
  readonly kind: string;
  /** name of the field that holds the path */
  readonly field: string;
  /** values that other fields have on the events that are filtered, by name: { 'file.open.write': false } */
  readonly given?: Readonly<Record<string, Exclude<FieldValue, undefined>>>;
}

/** Every path that some rule can match begins with one of `prefixes`, or its last component is one of `names`. */
export interface PathInterest<E> extends Cover {
  /** Rules that can match any path. Unless there are none, nothing may be dropped. */
  readonly unbounded: readonly CompiledRule<E>[];
}

type ByKind<E> = ReadonlyMap<string, ReadonlyMap<Node<E>, readonly number[]>>;

export function interestOf<E>(
  rules: readonly CompiledRule<E>[],
  byKind: ByKind<E>,
  nodes: Nodes<E>,
  filtered: FilteredEvents | undefined,
): RuleInterest<E> {
  const kinds = [...byKind].filter(([, conditions]) => conditions.size > 0).map(([kind]) => kind);
  return { kinds, paths: filtered === undefined ? undefined : pathsOf(rules, byKind, nodes, filtered) };
}

function pathsOf<E>(
  rules: readonly CompiledRule<E>[],
  byKind: ByKind<E>,
  nodes: Nodes<E>,
  { kind, field, given = {} }: FilteredEvents,
): PathInterest<E> {
  const onKind = knownOnKind<E>(kind);
  const known: Known<E> = (operand) => {
    const plain = operand.argument === undefined && operand.transforms.length === 0;
    return plain && Object.hasOwn(given, operand.field.name) ? given[operand.field.name] : onKind(operand);
  };
  const memo = new Map<number, Node<E>>();
  const covers: Cover[] = [];
  const unbounded: number[] = [];
  for (const [node, numbers] of byKind.get(kind) ?? []) {
    const cover = necessaryCover(nodes.assume(node, known, memo), field);
    if (cover === null) unbounded.push(...numbers);
    else covers.push(cover);
  }
  return { ...union(covers)!, unbounded: unbounded.sort((a, b) => a - b).map((number) => rules[number]!) };
}
