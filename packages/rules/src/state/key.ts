import { hash } from 'node:crypto';
import type { FieldValue } from '../catalogue.ts';
import { type Operand, readOperand } from '../expression.ts';
import { LIMITS } from '../limits.ts';

/** One text for what `by` reads, different for different values; undefined: the event hasn't all of it. */
export function keyOf<E>(by: readonly Operand<E>[], event: E): string | undefined {
  let key = '';
  for (let i = 0; i < by.length; i++) {
    const value = readOperand(by[i]!, event);
    if (value === undefined) return undefined;
    const text = textOf(value);
    // With its length in front no two lists of values make the same text.
    key = i === by.length - 1 ? key + text : `${key}${text.length} ${text}`;
  }
  return key;
}

function textOf(value: Exclude<FieldValue, undefined>): string {
  const text = typeof value === 'string' ? value : typeof value === 'object' ? value.join('\0') : String(value);
  return text.length <= LIMITS.keyText ? text : `sha256 ${hash('sha256', text)}`;
}
