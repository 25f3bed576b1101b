import { holds, type TestLiteral, transformed } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';

/** A comparison that an event must satisfy. */
export type Constraint = TestLiteral<EventView>;
export type Value = string | number | boolean | readonly string[] | undefined;

/** Whether the constraint says which values fit: `x = a`, not `x != a` or `not x = a`. */
export const isPositive = ({ test, holds: wanted }: Constraint): boolean => wanted !== test.negated;

/** Whether it demands such a value: `not x != a` also holds without any. */
export const isCertain = ({ test, holds: wanted }: Constraint): boolean => wanted && !test.negated;

/** Whether the constraint demands that the field is present. */
export const isPresent = ({ holds: wanted }: Constraint): boolean => wanted;

/** Whether the constraint is satisfied by a value of its field. Comparisons with other fields count as satisfied. */
export function satisfied({ test, holds: wanted }: Constraint, value: Value): boolean {
  if (test.comparedWith !== undefined) return true;
  return holds(test, transformed(test.operand, value)) === wanted;
}
