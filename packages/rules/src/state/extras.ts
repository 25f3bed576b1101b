import type { FieldValue } from '../catalogue.ts';
import { type Operand, readOperand } from '../expression.ts';
import { LIMITS } from '../limits.ts';
import type { Sequence } from '../sequence.ts';

/** What is more about an event than that it was there. Never changed: many have the same. */
export interface Extras {
  /** how many events it stands for */
  readonly weight: number;
  /** by index in the sequence's `kept`; empty: nothing is kept */
  readonly values: readonly FieldValue[];
  /** the event as its caller keeps it, when an alert may be about it later; empty: it isn't kept */
  readonly witness: string;
}

export const NO_EXTRAS: Extras = { weight: 1, values: [], witness: '' };

/** Makes those of a sequence's events. What fits the same steps has mostly the same values, and then is the same. */
export class ExtrasMaker {
  readonly #sequence: Sequence<unknown>;
  /** the last, by steps */
  readonly #last = new Map<number, Extras>();

  constructor(sequence: Sequence<unknown>) {
    this.#sequence = sequence;
  }

  make(steps: number, event: unknown, witness: string): Extras {
    const { kept } = this.#sequence;
    const weight = weightOf(this.#sequence.weight, event);
    if (kept.length === 0 && weight === 1 && witness === '') return NO_EXTRAS;
    const last = this.#last.get(steps);
    if (last !== undefined && last.weight === weight && last.witness === witness && this.#areThose(last, steps, event))
      return last;
    const values = kept.map((_, index) => this.#valueOf(index, steps, event));
    const made = { weight, values, witness };
    this.#last.set(steps, made);
    return made;
  }

  #areThose({ values }: Extras, steps: number, event: unknown): boolean {
    for (let i = 0; i < values.length; i++) if (this.#valueOf(i, steps, event) !== values[i]) return false;
    return true;
  }

  #valueOf(index: number, steps: number, event: unknown): FieldValue {
    const { step, operand } = this.#sequence.kept[index]!;
    return (steps & (1 << step)) === 0 ? undefined : boundedValue(readOperand(operand, event));
  }
}

/** How many events it stands for. */
export function weightOf<E>(weight: Operand<E> | undefined, event: E): number {
  const count = weight === undefined ? undefined : readOperand(weight, event);
  return typeof count === 'number' && count > 1 ? Math.min(count, Number.MAX_SAFE_INTEGER) : 1;
}

/** What is longer is compared and shown by its first characters. */
function boundedValue(value: FieldValue): FieldValue {
  if (typeof value === 'string') return value.slice(0, LIMITS.keptText);
  return typeof value === 'object'
    ? value.slice(0, LIMITS.keptItems).map((item) => item.slice(0, LIMITS.keptText))
    : value;
}
