import { hash } from 'node:crypto';
import type { FieldValue } from '../model/catalogue.ts';
import { type Operand, readOperand } from '../model/expression.ts';
import { LIMITS } from '../model/limits.ts';

/** Longest text of one value of a group key or of `distinct`; longer values count by their first characters. */
const VALUE_LENGTH = 256;

/** Returns one text for the values of `by`, different for different values; undefined: the event lacks one of them. */
export function keyOf<E>(by: readonly Operand<E>[], event: E): string | undefined {
  let key = '';
  for (let i = 0; i < by.length; i++) {
    const value = readOperand(by[i]!, event);
    if (value === undefined) return undefined;
    const text = textOf(value);
    // The length in front keeps different lists of values from making the same text.
    key = i === by.length - 1 ? key + text : `${key}${text.length} ${text}`;
  }
  return key;
}

function textOf(value: Exclude<FieldValue, undefined>): string {
  const text = typeof value === 'string' ? value : typeof value === 'object' ? value.join('\0') : String(value);
  return text.length <= LIMITS.keyText ? text : `sha256 ${hash('sha256', text)}`;
}

export function keyText(value: FieldValue): string | null {
  if (value === undefined) return null;
  return (typeof value === 'object' ? value.join('\0') : String(value)).slice(0, VALUE_LENGTH);
}

/** Returns the group that an event is counted in. Events that lack a value form groups of their own. */
export const groupKeyOf = <E>(by: readonly Operand<E>[], event: E): string =>
  JSON.stringify(by.map((operand) => keyText(readOperand(operand, event))));

/** Returns how many events one event stands for. */
export function weightOf<E>(weight: Operand<E> | undefined, event: E): number {
  const count = weight === undefined ? undefined : readOperand(weight, event);
  return typeof count === 'number' && count > 1 ? Math.min(count, Number.MAX_SAFE_INTEGER) : 1;
}
