import type { FieldValue } from '@ringfence/fields';
import { holds, type Literal, type Operand, type Test, type TestLiteral, transformed } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';

/** A comparison that an event must satisfy. */
export type Constraint = TestLiteral<EventView>;

/** Demands a comparison of a field. */
export function demand(
  operand: Operand<EventView>,
  operator: Test<EventView>['operator'],
  values: readonly Literal[] = [],
  negated = false,
): Constraint {
  return { kind: 'literal', holds: true, test: { kind: 'test', operand, operator, negated, values } };
}

/** Returns the values of a field, or its only one, as a comparison has them. */
export const literals = (value: FieldValue): readonly Literal[] =>
  value === undefined ? [] : ([value].flat() as readonly Literal[]);

/** Whether the constraint says which values fit: `x = a`, not `x != a` or `not x = a`. */
export const isPositive = ({ test, holds: wanted }: Constraint): boolean => wanted !== test.negated;

/** Whether it demands such a value: `not x != a` also holds without any. */
export const isCertain = ({ test, holds: wanted }: Constraint): boolean => wanted && !test.negated;

/** Whether the constraint demands that the field is present. */
export const isPresent = ({ holds: wanted }: Constraint): boolean => wanted;

/** Whether the constraint is satisfied by a value of its field. Comparisons with other fields count as satisfied. */
export function satisfied({ test, holds: wanted }: Constraint, value: FieldValue): boolean {
  if (test.comparedWith !== undefined) return true;
  return holds(test, transformed(test.operand, value)) === wanted;
}
