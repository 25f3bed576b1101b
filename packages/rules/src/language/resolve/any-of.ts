import type { FieldLookup } from '../../model/catalogue.ts';
import type { Expression, Operand } from '../../model/expression.ts';
import type { TestSyntax } from '../syntax/syntax.ts';

/**
 * Builds a test that holds if it holds for at least one of the fields that the operand's field combines. A negated test
 * holds if it holds for none of them and at least one of them has a value.
 */
export function overAny<E>(
  syntax: TestSyntax,
  operand: Operand<E>,
  fields: FieldLookup<E>,
  resolve: (operand: Operand<E>, syntax: TestSyntax) => Expression<E>,
): Expression<E> {
  const names = operand.field.anyOf;
  if (names === undefined) return resolve(operand, syntax);
  const operands = names.map((name) => on(operand, name, fields));
  const [only] = operands;
  if (operands.length === 1) return resolve(only!, syntax);
  const any: Expression<E> = {
    kind: 'or',
    items: operands.map((operand) => resolve(operand, { ...syntax, negated: false })),
  };
  if (!syntax.negated) return any;
  const there = operands.map((operand): Expression<E> => exists(operand));
  const none: Expression<E> = { kind: 'not', item: any };
  return syntax.operator === 'exists' ? none : { kind: 'and', items: [{ kind: 'or', items: there }, none] };
}

function exists<E>(operand: Operand<E>): Expression<E> {
  return { kind: 'test', operand, operator: 'exists', negated: false, values: [] };
}

function on<E>(operand: Operand<E>, name: string, fields: FieldLookup<E>): Operand<E> {
  const field = fields.native(name);
  if (field === undefined) throw new Error(`'${operand.field.name}' stands for '${name}', which is not a field`);
  const type = operand.transforms.length === 0 ? field.type : operand.type;
  return { ...operand, field, key: operand.key.replace(operand.field.name, field.name), type };
}
