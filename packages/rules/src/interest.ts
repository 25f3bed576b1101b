import type { FieldCatalogue, FieldValue } from './catalogue.ts';
import { type Known, knownOnKind, type Node, type Nodes } from './compile/nodes.ts';
import { necessaryPrefixes, widest } from './compile/prefixes.ts';

/** What the rules can match: what isn't covered may be dropped before it gets here. */
export interface RuleInterest {
  /** kinds of events on which some rule can match, in the order of the kinds */
  readonly kinds: readonly string[];
  /**
   * For each field of the catalogue with `path`: text with one of which every value that some rule can match begins; null: any value can match.
   * Over all kinds on which the field has values; `RuleSet.pathPrefixes` asks more narrowly.
   */
  readonly pathPrefixes: ReadonlyMap<string, readonly string[] | null>;
}

export interface PathQuestion {
  /** name of a field with `path` */
  readonly field: string;
  /** on events of this kind only */
  readonly kind: string;
  /** values that other fields are known to have on the events asked about, by name: { 'event.type': 'access' } */
  readonly given?: Readonly<Record<string, Exclude<FieldValue, undefined>>>;
}

type ByKind<E> = ReadonlyMap<string, ReadonlyMap<Node<E>, readonly number[]>>;

export function interestOf<E>(catalogue: FieldCatalogue<E>, byKind: ByKind<E>): RuleInterest {
  const kinds = [...byKind].filter(([, conditions]) => conditions.size > 0).map(([kind]) => kind);
  const pathPrefixes = new Map<string, readonly string[] | null>();
  for (const field of catalogue.fields) {
    if (field.path !== true) continue;
    const having = kinds.filter((kind) => field.kinds?.includes(kind) ?? true);
    pathPrefixes.set(field.name, union(having.map((kind) => prefixesOn(byKind.get(kind)!.keys(), field.name))));
  }
  return { kinds, pathPrefixes };
}

/** Like `RuleInterest.pathPrefixes`, for some of the events. */
export function answerPathQuestion<E>(
  question: PathQuestion,
  byKind: ByKind<E>,
  nodes: Nodes<E>,
): readonly string[] | null {
  const given = new Map(Object.entries(question.given ?? {}));
  const onKind = knownOnKind<E>(question.kind);
  const known: Known<E> = (operand) => {
    const plain = operand.argument === undefined && operand.transforms.length === 0;
    return plain && given.has(operand.field.name) ? given.get(operand.field.name) : onKind(operand);
  };
  const memo = new Map<number, Node<E>>();
  const conditions = [...(byKind.get(question.kind)?.keys() ?? [])].map((node) => nodes.assume(node, known, memo));
  return prefixesOn(conditions, question.field);
}

function prefixesOn<E>(conditions: Iterable<Node<E>>, field: string): readonly string[] | null {
  return union([...conditions].map((node) => necessaryPrefixes(node, field)));
}

function union(all: readonly (readonly string[] | null)[]): readonly string[] | null {
  return all.every((prefixes) => prefixes !== null) ? widest(all.flat()) : null;
}
