/**
 * The one tree that every rule language becomes. It says what a condition means; how it is evaluated quickly is the business of compile/.
 *
 * Absent fields: a test on a field without a value is false, whatever the test and whether or not it is negated. `negated` is the infix form
 * (`x not in (…)`, `x != …`): present, and no value fits. `Not` is plain negation.
 */
import type { FieldSpec, FieldType, FieldValue } from './catalogue.ts';
import { type TimePart, timePart } from './time-part.ts';

/** Several values mean: any of them. On a field of type `strings`: any of its elements (negated: none of them). */
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
  /** the path itself or anything below it */
  | 'pathprefix'
  | 'regex'
  | 'cidr'
  /** these compare with `other` */
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

/** What a test reads: a field, its argument, and what is done to the value first. */
export interface Operand<E> {
  /** equal for equal operands, and how the operand is written */
  readonly key: string;
  readonly field: FieldSpec<E>;
  readonly argument: string | number | undefined;
  /** innermost first */
  readonly transforms: readonly Transform[];
  /** after the transforms */
  readonly type: FieldType;
}

export type Literal = string | number | boolean;

export interface Test<E> {
  readonly kind: 'test';
  readonly operand: Operand<E>;
  readonly operator: TestOperator;
  readonly negated: boolean;
  readonly values: readonly Literal[];
  readonly other?: Operand<E>;
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

/** A macro where it was used: for explanations only. */
export interface Named<E> {
  readonly kind: 'named';
  readonly name: string;
  /** a name within its rule, which others may give to something else */
  readonly local?: true;
  readonly item: Expression<E>;
}

export type Expression<E> = Constant | Test<E> | Junction<E> | Not<E> | Named<E>;

type TextTransform = Exclude<Transform, 'length' | TimePart>;

/** The operand's value on an event. */
export function readOperand<E>(operand: Operand<E>, event: E): FieldValue {
  return transformed(operand, operand.field.get(event, operand.argument));
}

/** What the operand makes of a value of its field. */
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

/** undefined: the text is not what is to be decoded. */
function transformText(transform: TextTransform, text: string): string | undefined {
  if (transform === 'lower') return text.toLowerCase();
  if (transform === 'upper') return text.toUpperCase();
  if (transform === 'base64') return BASE64.test(text) ? Buffer.from(text, 'base64').toString() : undefined;
  return text.slice(text.lastIndexOf('/') + 1);
}
