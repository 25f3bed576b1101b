import { Fault } from '../errors.ts';
import type { Expression } from '../expression.ts';
import { collectOperands } from './operands-of.ts';

/** That no kind of event has all that the condition at `at` asks for. */
export function neverHolds<E>(name: string, expression: Expression<E>, at: number): Fault {
  const limited = collectOperands(expression).filter(({ field }) => field.kinds !== undefined);
  const hint = limited
    .slice(0, 4)
    .map(({ field }) => `${field.name} is on ${field.kinds!.join(', ')}.`)
    .join(' ');
  return new Fault('never', at, `rule '${name}' can never match: no kind of event has all it asks for`, hint);
}
