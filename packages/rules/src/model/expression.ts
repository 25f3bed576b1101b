/**
 * The expression tree that every rule language compiles to. It defines what a condition means; compile/ evaluates it
 * quickly. A test on an absent field is false, negated or not. `negated` is the infix form (`x not in (…)`, `x != …`):
 * the field is present and no value fits. `Not` is plain negation.
 */
import type { FieldSpec, FieldType, FieldValue } from './catalogue.ts';
import { type TimePart, timePart } from './time-part.ts';

/** With several values, any of them may fit. On a field of type `strings`, any element may fit (negated: none). */
export type TestOperator =
  | 'exists'
  | 'equals'
  | 'less'
  | 'lessOrEqual'
  | 'greater'
  | 'greaterOrEqual'
  | 'contains'
  | 'startswith'
  | 'endswith'
  | 'glob'
  /** The path itself or anything below it. */
  | 'pathprefix'
  | 'regex'
  | 'cidr'
  /** These operators compare with `comparedWith`. */
  | FieldOperator;

export type FieldOperator =
  | 'equalsField'
  | 'lessField'
  | 'lessOrEqualField'
  | 'greaterField'
  | 'greaterOrEqualField'
  | 'containsField'
  | 'startswithField'
  | 'endswithField'
  | 'pathprefixField';

export type Transform = 'lower' | 'upper' | 'basename' | 'base64' | 'length' | TimePart;

/** The value that a test reads: a field, its argument, and the transforms applied to it. */
export interface Operand<E> {
  /** The operand as text; equal for equal operands. */
  readonly key: string;
  readonly field: FieldSpec<E>;
  readonly argument: string | number | undefined;
  /** Innermost first. */
  readonly transforms: readonly Transform[];
  /** The type after the transforms. */
  readonly type: FieldType;
}

export type Literal = string | number | boolean;

export interface Test<E> {
  readonly kind: 'test';
  readonly operand: Operand<E>;
  readonly operator: TestOperator;
  readonly negated: boolean;
  readonly values: readonly Literal[];
  readonly comparedWith?: Operand<E>;
}

export interface Constant {
  readonly kind: 'constant';
  readonly value: boolean;
}

export interface Junction<E> {
  readonly kind: 'and' | 'or';
  readonly items: readonly Expression<E>[];
}

export interface Not<E> {
  readonly kind: 'not';
  readonly item: Expression<E>;
}

/** A macro at the place of its use, for explanations only. */
export interface Named<E> {
  readonly kind: 'named';
  readonly name: string;
  /** The name is local to its rule: another rule may use it for something else. */
  readonly local?: true;
  readonly item: Expression<E>;
}

export type Expression<E> = Constant | Test<E> | Junction<E> | Not<E> | Named<E>;

type TextTransform = Exclude<Transform, 'length' | TimePart>;

/** Returns the operand's value on an event. */
export function readOperand<E>(operand: Operand<E>, event: E): FieldValue {
  return transformed(operand, operand.field.get(event, operand.argument));
}

/** Applies the operand's transforms to a value of its field. */
export function transformed<E>(operand: Operand<E>, value: FieldValue): FieldValue {
  let result = value;
  for (let i = 0; i < operand.transforms.length; i++) {
    if (result === undefined) return undefined;
    result = applyTransform(operand.transforms[i]!, result);
  }
  return result;
}

function applyTransform(transform: Transform, value: Exclude<FieldValue, undefined>): FieldValue {
  switch (transform) {
    case 'lower':
    case 'upper':
    case 'basename':
    case 'base64':
      if (typeof value === 'object')
        return value.map((item) => transformText(transform, item)).filter((item) => item !== undefined);
      return transformText(transform, String(value));
    case 'length':
      return typeof value === 'object' ? value.length : String(value).length;
    default:
      return typeof value === 'number' ? timePart(transform, value) : undefined;
  }
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Returns undefined if the text can't be decoded. */
function transformText(transform: TextTransform, text: string): string | undefined {
  if (transform === 'lower') return text.toLowerCase();
  if (transform === 'upper') return text.toUpperCase();
  if (transform === 'base64') return BASE64.test(text) ? Buffer.from(text, 'base64').toString() : undefined;
  return text.slice(text.lastIndexOf('/') + 1);
}
