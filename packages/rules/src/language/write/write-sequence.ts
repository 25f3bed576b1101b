import type { Expression } from '../../model/expression.ts';
import type { Sequence, SequenceStep } from '../../model/sequence.ts';
import { writeComparison, writeCondition } from './write.ts';

/**
 * Returns a sequence in the native language. Steps that others are compared with are named $a, $b, …, whatever they
 * were named.
 */
export function writeSequence<E>(sequence: Sequence<E>, writeDuration: (us: number) => string): string {
  const { ordered, steps, maxspanUs } = sequence;
  const common = commonKeys(steps);
  const named = new Map<number, string>();
  for (const { compares } of steps) for (const { earlier } of compares) name(sequence.kept[earlier]!.step, named);
  const by = common.length === 0 ? '' : ` by ${common.join(', ')}`;
  const written = steps.map((step, index) => writeStep(sequence, step, common.length, named, index));
  return `sequence${ordered ? '' : ' any order'}${by} with maxspan=${writeDuration(maxspanUs)} ${written.join(' ')}`;
}

function name(step: number, named: Map<number, string>): void {
  if (!named.has(step)) named.set(step, `$${String.fromCharCode(97 + named.size)}`);
}

function writeStep<E>(
  { kept }: Sequence<E>,
  step: SequenceStep<E>,
  common: number,
  named: ReadonlyMap<number, string>,
  index: number,
): string {
  const compares = step.compares.map(({ test, earlier }) => {
    const { step: of, operand } = kept[earlier]!;
    return writeComparison(test, `${named.get(of)}.${operand.key}`);
  });
  const condition = plainPart(step);
  const parts = [...(condition === undefined ? [] : [writeCondition(condition)]), ...compares];
  const alone = condition?.kind === 'or' && compares.length > 0 ? [`(${parts[0]})`, ...parts.slice(1)] : parts;
  const sign = step.kind === 'until' ? 'until ' : step.kind === 'missing' ? '!' : '';
  const keys = step.by.slice(common).map(({ key }) => key);
  const by = keys.length === 0 ? '' : ` by ${keys.join(', ')}`;
  const runs = step.runs === 1 ? '' : ` with runs=${step.runs}`;
  const as = named.has(index) ? ` as ${named.get(index)}` : '';
  return `${sign}[ ${alone.join(' and ')} ]${by}${runs}${as}`;
}

/** Returns the fields with which all steps start. */
function commonKeys<E>(steps: readonly SequenceStep<E>[]): string[] {
  const [first, ...laterSteps] = steps.map(({ by }) => by.map(({ key }) => key));
  const keys = first ?? [];
  const differs = keys.findIndex((key, index) => laterSteps.some((by) => by[index] !== key));
  return differs === -1 ? keys : keys.slice(0, differs);
}

/** Returns the condition without the tests of compared fields, which reading adds. */
function plainPart<E>({ expression, compares }: SequenceStep<E>): Expression<E> | undefined {
  if (compares.length === 0) return expression;
  const items = expression.kind === 'and' ? expression.items.slice(0, -compares.length) : [];
  return items.length < 2 ? items[0] : { kind: 'and', items };
}
