import { decodeText } from '@ringfence/wire';
import { Fault } from '../../diagnostics/errors.ts';
import type { FieldLookup, FieldType } from '../../model/catalogue.ts';
import type { Expression, FieldOperator, Literal, Operand, Test, TestOperator } from '../../model/expression.ts';
import { globMeaning } from '../../text/glob.ts';
import { canonicalIp, parseNetwork } from '../../text/ip.ts';
import { compileRegex, isPlainText } from '../../text/regex.ts';
import type { Operator, TestSyntax, ValueSyntax } from '../syntax/syntax.ts';
import { lowered, resolveOperand } from './operand.ts';

/** A value of a test, with lists expanded. */
export interface Value {
  readonly text: string;
  readonly at: number;
}

/** Returns the values in the field's spelling: some can be written in several ways. */
export function spelled<E>(
  { field, transforms }: Operand<E>,
  { operator }: TestSyntax,
  values: readonly Value[],
): readonly Value[] {
  const { spellings } = field;
  if (spellings === undefined || transforms.length > 0 || !['=', 'in', 'intersects'].includes(operator)) return values;
  return values.map(({ text, at }) => ({ text: Object.hasOwn(spellings, text) ? spellings[text]! : text, at }));
}

type Build<E> = (operand: Operand<E>, values: readonly Value[], negated: boolean) => Expression<E>;

const TYPE_NAMES: Readonly<Record<FieldType, string>> = {
  string: 'text',
  number: 'a number',
  bool: 'true or false',
  ip: 'an address',
  strings: 'several texts',
};

/** Resolves a comparison, checked against the type of its field. @throws Fault */
export function resolveTest<E>(syntax: TestSyntax, operand: Operand<E>, values: readonly Value[]): Expression<E> {
  const builders: Readonly<Record<Operator, Build<E>>> = {
    // An absent field fails every test, so "not exists" can only be plain negation.
    exists: (on, _, negated) =>
      negated ? { kind: 'not', item: test(on, 'exists', [], false) } : test(on, 'exists', [], false),
    '=': equality,
    in: equality,
    intersects: equality,
    '<': (on, v, negated) => numeric(syntax, on, 'less', v, negated),
    '<=': (on, v, negated) => numeric(syntax, on, 'lessOrEqual', v, negated),
    '>': (on, v, negated) => numeric(syntax, on, 'greater', v, negated),
    '>=': (on, v, negated) => numeric(syntax, on, 'greaterOrEqual', v, negated),
    contains: (on, v, negated) => textual(syntax, on, 'contains', v, negated),
    icontains: (on, v, negated) => textual(syntax, lowered(on), 'contains', v.map(lower), negated),
    bcontains: (on, v, negated) => textual(syntax, on, 'contains', v.map(bytes), negated),
    startswith: (on, v, negated) => textual(syntax, on, 'startswith', v, negated),
    bstartswith: (on, v, negated) => textual(syntax, on, 'startswith', v.map(bytes), negated),
    endswith: (on, v, negated) => textual(syntax, on, 'endswith', v, negated),
    glob: (on, v, negated) => globs(syntax, on, v, negated),
    iglob: (on, v, negated) => globs(syntax, lowered(on), v.map(lower), negated),
    pmatch: (on, v, negated) => textual(syntax, on, 'pathprefix', v.map(path), negated),
    regex: (on, v, negated) => regexes(syntax, on, v, negated),
    cidr: (on, v, negated) => networks(syntax, on, v, negated),
  };
  return builders[syntax.operator](operand, values, syntax.negated);
}

/** Operators that can compare with another field. */
const FIELD_OPERATORS: Readonly<Partial<Record<Operator, FieldOperator>>> = {
  '=': 'equalsField',
  in: 'equalsField',
  intersects: 'equalsField',
  '<': 'lessField',
  '<=': 'lessOrEqualField',
  '>': 'greaterField',
  '>=': 'greaterOrEqualField',
  contains: 'containsField',
  startswith: 'startswithField',
  endswith: 'endswithField',
  pmatch: 'pathprefixField',
};
const NUMERIC: ReadonlySet<string> = new Set(['<', '<=', '>', '>=']);

/** Resolves `field = val(other)`, `field contains val(other)`. @throws Fault */
export function resolveFieldTest<E>(
  syntax: TestSyntax,
  operand: Operand<E>,
  value: ValueSyntax,
  fields: FieldLookup<E>,
): Test<E> {
  const otherOperand = resolveOperand(value.field!, fields);
  const operator = FIELD_OPERATORS[syntax.operator];
  if (operator === undefined || syntax.values.length !== 1) {
    const hint = `Operators: ${Object.keys(FIELD_OPERATORS).join(', ')} and !=.`;
    throw new Fault(
      'operator',
      value.at,
      `val() doesn't work with '${syntax.operator}', nor beside other values`,
      hint,
    );
  }
  if (NUMERIC.has(syntax.operator) && operand.type !== 'number') throw wrongType(syntax, operand, 'numbers', '');
  if (operator !== 'equalsField' && !NUMERIC.has(syntax.operator)) requireText(syntax, operand);
  const comparable = (type: FieldType): string => (type === 'ip' || type === 'strings' ? 'string' : type);
  if (comparable(operand.type) !== comparable(otherOperand.type)) {
    throw new Fault(
      'wrong-type',
      value.at,
      `'${operand.key}' is ${TYPE_NAMES[operand.type]}, '${otherOperand.key}' is ${TYPE_NAMES[otherOperand.type]}`,
    );
  }
  return { kind: 'test', operand, operator, negated: syntax.negated, values: [], comparedWith: otherOperand };
}

function test<E>(operand: Operand<E>, operator: TestOperator, values: readonly Literal[], negated: boolean): Test<E> {
  return { kind: 'test', operand, operator, negated, values: [...new Set(values)] };
}

/** Joins tests of which any may hold; negated, none may. */
function anyOf<E>(tests: readonly Test<E>[], negated: boolean): Expression<E> {
  return tests.length === 1 ? tests[0]! : { kind: negated ? 'and' : 'or', items: tests };
}

function equality<E>(operand: Operand<E>, values: readonly Value[], negated: boolean): Expression<E> {
  switch (operand.type) {
    case 'number':
      return test(operand, 'equals', values.map(number), negated);
    case 'bool':
      return test(operand, 'equals', values.map(bool), negated);
    case 'ip':
      return addresses(operand, values, negated);
    default:
      return test(operand, 'equals', values.map(text), negated);
  }
}

function addresses<E>(operand: Operand<E>, values: readonly Value[], negated: boolean): Expression<E> {
  const single = values.filter((value) => !value.text.includes('/')).map(address);
  const wide = values.filter((value) => value.text.includes('/')).map(network);
  const tests: Test<E>[] = [];
  if (single.length > 0 || wide.length === 0) tests.push(test(operand, 'equals', single, negated));
  if (wide.length > 0) tests.push(test(operand, 'cidr', wide, negated));
  return anyOf(tests, negated);
}

function numeric<E>(
  syntax: TestSyntax,
  operand: Operand<E>,
  operator: TestOperator,
  values: readonly Value[],
  negated: boolean,
): Expression<E> {
  if (operand.type !== 'number')
    throw wrongType(syntax, operand, 'numbers', 'Use len(field) for the length of a text.');
  if (values.length !== 1) throw new Fault('operator', syntax.at, `'${syntax.operator}' compares with one value`);
  return test(operand, operator, values.map(number), negated);
}

function textual<E>(
  syntax: TestSyntax,
  operand: Operand<E>,
  operator: TestOperator,
  values: readonly Value[],
  negated: boolean,
): Test<E> {
  requireText(syntax, operand);
  return test(operand, operator, values.map(text), negated);
}

function globs<E>(syntax: TestSyntax, operand: Operand<E>, values: readonly Value[], negated: boolean): Expression<E> {
  requireText(syntax, operand);
  const byOperator = Map.groupBy(
    values.map((value) => globMeaning(value.text)),
    (meaning) => meaning.operator,
  );
  const tests = [...byOperator].map(([operator, meanings]) =>
    test(
      operand,
      operator,
      meanings.map((meaning) => meaning.text),
      negated,
    ),
  );
  return tests.length === 0 ? test(operand, 'glob', [], negated) : anyOf(tests, negated);
}

function regexes<E>(
  syntax: TestSyntax,
  operand: Operand<E>,
  values: readonly Value[],
  negated: boolean,
): Expression<E> {
  requireText(syntax, operand);
  for (const value of values) {
    try {
      compileRegex(value.text);
    } catch (error) {
      if (error instanceof Fault) throw error.movedTo(value.at);
      throw error;
    }
  }
  const plain = values.filter((value) => isPlainText(value.text)).map(text);
  const patterns = values.filter((value) => !isPlainText(value.text)).map(text);
  const tests: Test<E>[] = [];
  if (plain.length > 0) tests.push(test(operand, 'contains', plain, negated));
  if (patterns.length > 0 || plain.length === 0) tests.push(test(operand, 'regex', patterns, negated));
  return anyOf(tests, negated);
}

function networks<E>(syntax: TestSyntax, operand: Operand<E>, values: readonly Value[], negated: boolean): Test<E> {
  requireText(syntax, operand);
  return test(operand, 'cidr', values.map(network), negated);
}

function requireText<E>(syntax: TestSyntax, operand: Operand<E>): void {
  if (operand.type === 'number')
    throw wrongType(syntax, operand, 'text', 'Numbers compare with = != < <= > >= and in.');
  if (operand.type === 'bool') throw wrongType(syntax, operand, 'text', `Write ${operand.key} or not ${operand.key}.`);
}

function wrongType<E>(syntax: TestSyntax, operand: Operand<E>, wants: string, hint: string): Fault {
  const message = `'${syntax.operator}' compares ${wants}, but '${operand.key}' is ${TYPE_NAMES[operand.type]}`;
  return new Fault('wrong-type', syntax.at, message, hint);
}

function text(value: Value): string {
  return value.text;
}

/** Converts hexadecimal bytes to the text that the kernel's bytes are shown as. */
function bytes({ text, at }: Value): Value {
  if (text.length % 2 === 0 && /^[\da-f]+$/i.test(text)) return { text: decodeText(Buffer.from(text, 'hex')), at };
  throw new Fault('wrong-type', at, `expected bytes in hexadecimal, found '${text}'`, 'Write cafebabe.');
}

function lower(value: Value): Value {
  return { text: value.text.toLowerCase(), at: value.at };
}

function path(value: Value): Value {
  const trimmed = value.text.replace(/\/+$/, '');
  return { text: trimmed === '' ? '/' : trimmed, at: value.at };
}

function number(value: Value): number {
  if (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(value.text) || /^0(x[\da-f]+|o[0-7]+)$/i.test(value.text))
    return Number(value.text);
  const hint = /^0\d+$/.test(value.text)
    ? `For octal write 0o${value.text.slice(1)}.`
    : 'Numbers are written 80, 0x50 or 0o120.';
  throw new Fault('wrong-type', value.at, `expected a number, found '${value.text}'`, hint);
}

function bool(value: Value): boolean {
  if (/^(true|false)$/i.test(value.text)) return value.text.toLowerCase() === 'true';
  throw new Fault('wrong-type', value.at, `expected true or false, found '${value.text}'`);
}

function address(value: Value): string {
  const canonical = canonicalIp(value.text);
  if (canonical !== undefined) return canonical;
  throw new Fault(
    'wrong-type',
    value.at,
    `expected an address, found '${value.text}'`,
    'Addresses are written 10.0.0.1 or fe80::1, networks 10.0.0.0/8.',
  );
}

function network(value: Value): string {
  const parsed = parseNetwork(value.text);
  if (parsed !== undefined) return parsed.text;
  throw new Fault(
    'wrong-type',
    value.at,
    `expected a network, found '${value.text}'`,
    'Networks are written 10.0.0.0/8 or fe80::/10.',
  );
}
