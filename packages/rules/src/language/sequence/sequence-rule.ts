import type { Expression, Operand } from '../../model/expression.ts';
import type { OutputPart } from '../../model/rule.ts';
import type { Sequence } from '../../model/sequence.ts';
import { keep, type StepNames } from './resolve-sequence.ts';

/** Fields of each step in the output of a sequence without an `output`. */
const SHOWN = 3;

/** Returns the condition that an event fits one of the steps. */
export function anyStep<E>({ steps }: Sequence<E>): Expression<E> {
  const items = steps.map(({ expression }) => expression);
  return items.length === 1 ? items[0]! : { kind: 'or', items };
}

/** Returns the description, then the operands of each step; `read` returns the operands of a condition. */
export function sequenceOutput<E>(
  description: string,
  { steps }: Sequence<E>,
  names: StepNames<E>,
  read: (expression: Expression<E>) => readonly Operand<E>[],
): OutputPart<E>[] {
  const parts: OutputPart<E>[] = [description];
  let number = 0;
  for (const [index, { kind, expression }] of steps.entries()) {
    if (kind !== 'event') continue;
    number++;
    const shown = new Map(
      read(expression)
        .filter((operand) => operand.field.constants === undefined)
        .map((operand) => plain(operand))
        .map((operand) => [operand.key, operand]),
    );
    for (const [place, operand] of [...shown.values()].slice(0, SHOWN).entries())
      parts.push(`${place === 0 ? `; ${number}:` : ''} ${operand.key}=`, {
        operand,
        kept: keep(names.kept, index, operand),
      });
  }
  return parts;
}

/** Returns the field itself, without the transforms of the condition. */
function plain<E>({ field, argument }: Operand<E>): Operand<E> {
  const key = argument === undefined ? field.name : `${field.name}[${argument}]`;
  return { key, field, argument, transforms: [], type: field.type };
}
