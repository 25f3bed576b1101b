import type { FieldSpec, FieldValue } from '../catalogue.ts';
import { Closures } from '../compile/closures.ts';
import { Slots } from '../compile/slots.ts';
import { Fault } from '../errors.ts';
import { type Operand, readOperand } from '../expression.ts';
import type { YamlText } from '../language/yaml.ts';
import type { Context } from './context.ts';
import { conditionOf } from './correlation-threshold.ts';
import type { Built } from './rule.ts';

/**
 * A field by which the matches of several rules are grouped or counted. Where it is another one for each rule (an alias, or names that log sources
 * have in common), the event is asked which rule it fits: only events that fit one get here.
 * @throws Fault
 */
export function unifiedOperand<E>(
  name: Pick<YamlText, 'text' | 'at'>,
  alias: ReadonlyMap<string, YamlText> | undefined,
  members: readonly Built<E>[],
  context: Context<E>,
): Operand<E> {
  const operands = members.map((member) => operandOf(name, alias, member));
  const [first] = operands;
  if (operands.every((operand) => operand.key === first?.key)) return first!;
  const slots = new Slots<E>();
  const choices = members.map((member, i) => {
    const node = context.nodes.fold(conditionOf(member));
    return { fits: new Closures(slots, [node], new Map()).build(node), operand: operands[i]! };
  });
  const get = (event: E): FieldValue => {
    slots.begin(event);
    const chosen = choices.find(({ fits }) => fits());
    slots.end();
    return chosen && readOperand(chosen.operand, event);
  };
  const field: FieldSpec<E> = { name: name.text, type: first!.type, doc: `The '${name.text}' of a correlation.`, get };
  return { key: name.text, field, argument: undefined, transforms: [], type: field.type };
}

function operandOf<E>(
  name: Pick<YamlText, 'text' | 'at'>,
  alias: ReadonlyMap<string, YamlText> | undefined,
  { document, source }: Built<E>,
): Operand<E> {
  if (alias === undefined) return source.operand(name.text, name.at);
  const field = alias.get(document.name) ?? alias.get(document.id);
  if (field !== undefined) return source.operand(field.text, field.at);
  const rule = document.name === '' ? document.id : document.name;
  throw new Fault(
    'missing-key',
    name.at,
    `the alias '${name.text}' says nothing of the rule '${rule}'`,
    `Add '${rule}: field' to it.`,
  );
}
