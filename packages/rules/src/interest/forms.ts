import type { FieldFact } from '@ringfence/interest';
import { isPlain, type Known, knownOnKind, Possible } from '../compile/nodes/known.ts';
import type { Node } from '../compile/nodes/node.ts';
import type { Nodes } from '../compile/nodes/nodes.ts';
import { addressesInside, addressesOutside, SomethingElse, SomeValue } from './facts.ts';
import { necessaryPorts, type Ports, type PortsOf, portsOfAll } from './ports.ts';

/** Events that a filter drops or keeps before they are matched, as far as the filter can distinguish them. */
export interface FilteredForm {
  readonly kind: string;
  /** What is true of their fields, by name. */
  readonly facts: Readonly<Record<string, FieldFact>>;
  /** Which of their ports a field may hold, by its name. */
  readonly ports: PortsOf;
}

/** What the rules can match of a form: nothing, everything (null), or events with one of these ports. */
export type FormInterest = 'nothing' | Ports | null;

type ByKind<E> = ReadonlyMap<string, ReadonlyMap<Node<E>, unknown>>;

/** Returns the interest in each form. It may be too wide but never too narrow. */
export function formsOf<E>(byKind: ByKind<E>, nodes: Nodes<E>, forms: readonly FilteredForm[]): FormInterest[] {
  return forms.map((form) => {
    const known = knownOf<E>(form);
    const memo = new Map<number, Node<E>>();
    const conditions = [...(byKind.get(form.kind) ?? new Map()).keys()]
      .map((node) => nodes.assume(node, known, memo))
      .filter((node) => node !== nodes.never);
    if (conditions.length === 0) return 'nothing';
    return portsOfAll(conditions.map((node) => necessaryPorts(node, form.ports)));
  });
}

function knownOf<E>({ kind, facts }: FilteredForm): Known<E> {
  const onKind = knownOnKind<E>(kind);
  const known = new Map<string, ReturnType<Known<E>>>(
    Object.entries(facts).map(([name, fact]) => [name, knownBy(fact)]),
  );
  return (operand) => {
    const { name } = operand.field;
    if (!known.has(name)) return onKind(operand);
    const value = known.get(name);
    // An absent value is absent whatever its argument and transforms.
    return value === undefined || isPlain(operand) ? value : onKind(operand);
  };
}

function knownBy(fact: FieldFact): ReturnType<Known<unknown>> {
  if ('is' in fact) return fact.is;
  if ('not' in fact) return new SomethingElse(fact.not);
  if ('among' in fact) return new Possible((value) => fact.among.includes(value as string | number));
  if ('inside' in fact) return addressesInside(fact.inside);
  if ('outside' in fact) return addressesOutside(fact.outside);
  return fact.present ? new SomeValue() : undefined;
}
