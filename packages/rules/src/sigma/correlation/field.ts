import { Closures } from '../../compile/closures.ts';
import { Slots } from '../../compile/slots.ts';
import { Fault } from '../../diagnostics/errors.ts';
import type { YamlText } from '../../language/file/yaml.ts';
import type { FieldSpec, FieldType, FieldValue } from '../../model/catalogue.ts';
import { type Operand, readOperand } from '../../model/expression.ts';
import type { CompiledRule } from '../../model/rule.ts';
import type { Context } from '../context.ts';
import { type Built, conditionOf } from '../rule.ts';

type Name = Pick<YamlText, 'text' | 'at'>;

/**
 * Returns the field by which the matches of several rules are grouped or counted. If each rule has another field (an
 * alias, or a name that log sources share), the rule that an event fits decides; only events that fit one are counted.
 * @throws Fault
 */
export function unifiedOperand<E>(
  name: Name,
  alias: ReadonlyMap<string, YamlText> | undefined,
  members: readonly Built<E>[],
  context: Context<E>,
): Operand<E> {
  const operands = members.map((member) => memberOperand(name, alias, member, context));
  const [first] = operands;
  if (operands.every((operand) => operand.key === first?.key)) return first!;
  const choose = chooser(members, context);
  const byMember = new Map(members.map((member, i) => [member, operands[i]!]));
  const get = (event: E): FieldValue => {
    const member = choose(event);
    return member && readOperand(byMember.get(member)!, event);
  };
  return madeOperand(name.text, first!.type, `The '${name.text}' of a correlation.`, get);
}

/** Returns the first rule that an event fits. */
export function chooser<E>(members: readonly Built<E>[], { nodes }: Context<E>): (event: E) => Built<E> | undefined {
  const slots = new Slots<E>();
  const choices = members.map((member) => {
    const node = nodes.fold(conditionOf(member));
    return { member, fits: new Closures(slots, [node], new Map()).build(node) };
  });
  return (event) => {
    slots.begin(event);
    const chosen = choices.find(({ fits }) => fits());
    slots.end();
    return chosen?.member;
  };
}

const MADE = new WeakSet<object>();

/** Returns an operand on a field that is not in the catalogue. */
export function madeOperand<E>(name: string, type: FieldType, doc: string, get: (event: E) => FieldValue): Operand<E> {
  const field: FieldSpec<E> = { name, type, doc, get };
  MADE.add(field);
  return { key: name, field, argument: undefined, transforms: [], type };
}

/**
 * Returns the name of a field that a rule has made for itself and no other rule can use; undefined: all fields are in
 * the catalogue.
 */
export function madeFieldOf<E>({ operands }: CompiledRule<E>): string | undefined {
  return operands.find(({ field }) => MADE.has(field))?.key;
}

/** Returns the field of a correlation on events of one of its rules. @throws Fault */
export function memberOperand<E>(
  name: Name,
  alias: ReadonlyMap<string, YamlText> | undefined,
  member: Built<E>,
  context: Context<E>,
): Operand<E> {
  const { document, source, members } = member;
  const field = alias === undefined ? name : (alias.get(document.name) ?? alias.get(document.id));
  if (field !== undefined)
    return members === undefined
      ? source.operand(field.text, field.at)
      : unifiedOperand(field, undefined, members, context);
  const rule = document.name === '' ? document.id : document.name;
  const message = `the alias '${name.text}' has no field for the rule '${rule}'`;
  throw new Fault('missing-key', name.at, message, `Add '${rule}: field' to it.`);
}
