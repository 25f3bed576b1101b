import type { FieldValue } from '../../model/catalogue.ts';
import { type Operand, type Test, transformed } from '../../model/expression.ts';

/** Returns what is known of an operand before any event is seen. */
export type Known<E> = (operand: Operand<E>) => FieldValue | PartlyKnown | typeof UNKNOWN;
export const UNKNOWN: unique symbol = Symbol('unknown');

/** A value that is known in part. */
export abstract class PartlyKnown {
  /** Whether a test of the value against literals holds; undefined: unknown. */
  abstract decides<E>(test: Test<E>): boolean | undefined;
}

/** The value is among the possible ones, if it is present. */
export class Possible extends PartlyKnown {
  readonly #can: (value: unknown) => boolean;

  constructor(can: (value: unknown) => boolean) {
    super();
    this.#can = can;
  }

  but(values: readonly string[]): Possible {
    return new Possible((value) => this.#can(value) && !values.includes(value as string));
  }

  /** Decides only tests that ask for impossible values. */
  override decides<E>({ operator, negated, values }: Test<E>): boolean | undefined {
    return operator === 'equals' && !negated && !values.some((value) => this.#can(value)) ? false : undefined;
  }
}

/** A present number with a lower bound. */
class AtLeast extends PartlyKnown {
  readonly #least: number;

  constructor(least: number) {
    super();
    this.#least = least;
  }

  override decides<E>({ operator, negated, values }: Test<E>): boolean | undefined {
    const below = values.every((value) => Number(value) < this.#least);
    return below && (operator === 'equals' || operator === 'less' || operator === 'lessOrEqual') ? negated : undefined;
  }
}

/** Returns what is known of an operand on one kind of event. */
export function knownOnKind<E>(kind: string): Known<E> {
  return (operand) => {
    const { kinds, constants, values = {} } = operand.field;
    if (constants !== undefined && Object.hasOwn(constants, kind)) return transformed(operand, constants[kind]);
    if (kinds !== undefined && !kinds.includes(kind)) return undefined;
    if (operand.field.least !== undefined && isPlain(operand)) return new AtLeast(operand.field.least);
    const possible = isPlain(operand) && Object.hasOwn(values, kind) ? values[kind] : undefined;
    return possible === undefined ? UNKNOWN : new Possible((value) => possible.includes(value as string));
  };
}

/** Whether the operand is the field's own value, without argument and transforms. */
export function isPlain<E>({ argument, transforms }: Operand<E>): boolean {
  return argument === undefined && transforms.length === 0;
}
