import { Fault } from '../errors.ts';
import type { Expression } from '../expression.ts';
import { collectOperands } from './operands-of.ts';

const SHOWN = 4;

/** That the condition at `at` holds on no kind of event, and which part of it is why. @param kindsOf on which a part can hold */
export function neverHolds<E>(
  name: string,
  expression: Expression<E>,
  at: number,
  kindsOf: (part: Expression<E>) => readonly string[],
): Fault {
  const parts = conjunctsOf(expression);
  const culprit = parts.find((part) => kindsOf(part).length === 0);
  const said = `rule '${name}' can never match`;
  if (culprit === undefined)
    return new Fault('never', at, `${said}: no kind of event has all it asks for`, whereFieldsAre(parts));
  const empty = comparedWithNothing(culprit);
  if (empty === undefined) return new Fault('never', at, `${said}: ${wordsOf(culprit)}`);
  return new Fault(
    'never',
    at,
    `${said}: ${empty} is compared with an empty list`,
    'Fill the list, or switch the rule off.',
  );
}

/** What must hold together, macros opened. */
function conjunctsOf<E>(expression: Expression<E>): Expression<E>[] {
  if (expression.kind === 'and') return expression.items.flatMap(conjunctsOf);
  if (expression.kind === 'named' && opened(expression.item).kind === 'and') return conjunctsOf(expression.item);
  return [expression];
}

function opened<E>(expression: Expression<E>): Expression<E> {
  return expression.kind === 'named' ? opened(expression.item) : expression;
}

/** The field that is compared with no value at all; undefined: it is not that. */
function comparedWithNothing<E>(part: Expression<E>): string | undefined {
  const test = opened(part);
  if (test.kind !== 'test' || test.operator === 'exists' || test.other !== undefined) return undefined;
  return test.values.length === 0 ? test.operand.key : undefined;
}

function wordsOf<E>(part: Expression<E>): string {
  if (hasConstant(part)) return 'a part of it asks for what is never available';
  if (part.kind === 'named' && part.local === undefined) return `'${part.name}' holds on no event`;
  const fields = collectOperands(part).map(({ key }) => key);
  return `what it asks of ${fields.slice(0, SHOWN).join(', ')}${fields.length > SHOWN ? ', …' : ''} holds on no event`;
}

/** What is never available was said where it stands, and counts as false. */
function hasConstant<E>(part: Expression<E>): boolean {
  if (part.kind === 'constant') return true;
  return 'items' in part ? part.items.some(hasConstant) : 'item' in part && hasConstant(part.item);
}

function whereFieldsAre<E>(parts: readonly Expression<E>[]): string {
  const limited = collectOperands({ kind: 'and', items: parts }).filter(({ field }) => field.kinds !== undefined);
  return limited
    .slice(0, SHOWN)
    .map(({ field }) => `${field.name} is on ${field.kinds!.join(', ')}.`)
    .join(' ');
}
