import type { FieldValue } from '../catalogue.ts';
import { type Operand, readOperand } from '../expression.ts';

/** Longest text of one value of a key or of `distinct`: what is longer counts by its first characters. */
const VALUE_LENGTH = 256;

export function keyText(value: FieldValue): string | null {
  if (value === undefined) return null;
  return (typeof value === 'object' ? value.join('\0') : String(value)).slice(0, VALUE_LENGTH);
}

/** The combination of values that an event is counted with: what lacks one of them is of a combination of its own. */
export const groupKeyOf = <E>(by: readonly Operand<E>[], event: E): string =>
  JSON.stringify(by.map((operand) => keyText(readOperand(operand, event))));
