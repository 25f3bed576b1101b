import type { Field } from '@ringfence/fields';
import { EVERY_VARIABLE, type Interest } from '@ringfence/interest';
import type { Operand, RuleInterest, Test } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';

/** The beginning of a text that only one variable has. */
const ASSIGNMENT = /^([^=*?[\]\\]+)=/;
const WITH_PREFIX: ReadonlySet<string> = new Set(['equals', 'startswith', 'glob']);

const is = (field: Field, optional: Field['optional']): boolean => field.optional === optional;

/** Returns the variable that the operand names; undefined: it reads all variables, of an ancestor by its level. */
const nameOf = ({ argument }: Operand<EventView>): string | undefined =>
  argument === undefined || /^\d+$/.test(String(argument)) ? undefined : String(argument);

/** The variables that a test compares: whatever else may match must be sent, too. */
function variablesOf({ operand, operator, negated, values }: Test<EventView>): readonly string[] {
  const name = nameOf(operand);
  if (name !== undefined) return [name];
  if (negated || operand.transforms.length > 0 || !WITH_PREFIX.has(operator)) return [EVERY_VARIABLE];
  return values.map((value) => ASSIGNMENT.exec(String(value))?.[1] ?? EVERY_VARIABLE);
}

/** Returns the optional values that the sensor must record for these rules. */
export function optionalValuesOf({
  tests,
  operands,
}: Pick<RuleInterest<EventView>, 'tests' | 'operands'>): Pick<Interest, 'rawPaths' | 'environment'> {
  const tested = tests.flatMap(({ operand, comparedWith }) => [operand, ...(comparedWith ? [comparedWith] : [])]);
  const compared = tests.filter(({ operand }) => is(operand.field, 'environment')).flatMap(variablesOf);
  // An output without a name shows whatever is recorded.
  const shown = operands.filter(({ field }) => is(field, 'environment')).flatMap((operand) => nameOf(operand) ?? []);
  return {
    rawPaths: [...tested, ...operands].some(({ field }) => is(field, 'raw paths')),
    environment: [...new Set([...compared, ...shown])].sort(),
  };
}
