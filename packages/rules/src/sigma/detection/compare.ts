import { Fault } from '../../diagnostics/errors.ts';
import type { YamlText } from '../../language/file/yaml.ts';
import { lowered } from '../../language/resolve/operand.ts';
import type { Expression, Literal, Operand, Test, TestOperator } from '../../model/expression.ts';
import { canonicalIp, parseNetwork } from '../../text/ip.ts';
import { compileRegex, isPlainText } from '../../text/regex.ts';
import { encode } from './encodings.ts';
import type { FieldKey } from './modifiers.ts';
import { meaningOf, type Pattern, parsePattern, plainText, withDashes, within } from './pattern.ts';

/** One comparison with one literal; several of the same kind become one test. */
interface Comparison<E> {
  readonly operand: Operand<E>;
  readonly operator: TestOperator;
  readonly value: Literal;
}

/**
 * Whether a value is empty: `null`, `~`, nothing or `''`. Absent and empty are the same here, because most fields have
 * no value if there is no text.
 */
export function isBlank({ comparison, position }: FieldKey, { text, quoted }: YamlText): boolean {
  if (comparison !== 'text' || position !== 'whole') return false;
  return quoted ? text === '' : /^(?:null|Null|NULL|~|)$/.test(text);
}

/** Compares one place of a key with some values, of which any may fit. @throws Fault at the wrong value */
export function compareAny<E>(key: FieldKey, operand: Operand<E>, values: readonly YamlText[]): Expression<E> {
  const all = values.flatMap((value) => comparisons(key, operand, value));
  const groups = Map.groupBy(all, (candidate) => `${candidate.operator} ${candidate.operand.key}`);
  const parts = [...groups.values()].flatMap(testsOf);
  return parts.length === 1 ? parts[0]! : { kind: 'or', items: parts };
}

/** Compares two fields. */
export function compareFields<E>(key: FieldKey, operand: Operand<E>, otherOperand: Operand<E>): Expression<E> {
  const operator = (
    {
      whole: 'equalsField',
      contains: 'containsField',
      startswith: 'startswithField',
      endswith: 'endswithField',
    } as const
  )[key.position];
  const numbers = operand.type === 'number' && otherOperand.type === 'number' && key.position === 'whole';
  const asText = (candidate: Operand<E>): Operand<E> =>
    numbers || (key.cased && isText(candidate)) ? candidate : folded(candidate);
  return {
    kind: 'test',
    operand: asText(operand),
    operator,
    negated: false,
    values: [],
    comparedWith: asText(otherOperand),
  };
}

export function exists<E>(operand: Operand<E>): Test<E> {
  return { kind: 'test', operand, operator: 'exists', negated: false, values: [] };
}

function testsOf<E>(group: readonly Comparison<E>[]): Test<E>[] {
  const { operand, operator } = group[0]!;
  const values = [...new Set(group.map(({ value }) => value))];
  // Ordered comparisons take one number at a time.
  if (operator.startsWith('less') || operator.startsWith('greater'))
    return values.map((value) => test(operand, operator, [value]));
  return [test(operand, operator, values)];
}

function test<E>(operand: Operand<E>, operator: TestOperator, values: readonly Literal[]): Test<E> {
  return { kind: 'test', operand, operator, negated: false, values };
}

function comparisons<E>(key: FieldKey, given: Operand<E>, value: YamlText): Comparison<E>[] {
  const operand = key.part === undefined ? given : timePart(key, given);
  switch (key.comparison) {
    case 'regex':
      return [regex(key, operand, value)];
    case 'cidr':
      return [{ operand, operator: 'cidr', value: network(value) }];
    case 'text':
      return equal(key, operand, value);
    default:
      if (operand.type !== 'number') throw wrongType(key, operand, 'a number');
      return [{ operand, operator: key.comparison as TestOperator, value: number(value) }];
  }
}

function equal<E>(key: FieldKey, operand: Operand<E>, value: YamlText): Comparison<E>[] {
  const whole = key.position === 'whole' && key.encodings.length === 0;
  const plain = plainText(parsePattern(value.text));
  if (operand.type === 'number' && whole && plain !== undefined) return numbers(operand, value);
  if (operand.type === 'bool') return [{ operand, operator: 'equals', value: bool(value) }];
  const address = operand.type === 'ip' && whole && plain !== undefined ? canonicalIp(plain) : undefined;
  if (address !== undefined) return [{ operand, operator: 'equals', value: address }];
  const cased = key.cased && isText(operand);
  const fold = cased ? (text: string): string => text : (text: string): string => text.toLowerCase();
  return patterns(key, value).map((pattern) => {
    const { operator, text } = meaningOf(within(pattern, key.position), fold);
    return { operand: cased ? operand : folded(operand), operator, value: text };
  });
}

/** A word is not a number. */
function numbers<E>(operand: Operand<E>, value: YamlText): Comparison<E>[] {
  if (/[a-z]/i.test(value.text.replace(/^0x[\da-f]*$/i, ''))) return [];
  return [{ operand, operator: 'equals', value: number(value) }];
}

function patterns(key: FieldKey, value: YamlText): Pattern[] {
  const pattern = parsePattern(value.text);
  if (key.encodings.length === 0) return [key.windash ? withDashes(pattern) : pattern];
  const plain = plainText(pattern);
  if (plain === undefined) {
    const message = `'${key.encodings[0]}' encodes text; wildcards can't be encoded`;
    throw new Fault('modifier', value.at, message, 'Write \\* for an asterisk.');
  }
  return encode(plain, key.encodings).map((text) => [text]);
}

function regex<E>(key: FieldKey, operand: Operand<E>, value: YamlText): Comparison<E> {
  if (operand.type === 'number' || operand.type === 'bool') throw wrongType(key, operand, 'text');
  const { text } = value;
  if (key.flags === '' && key.position === 'whole' && isPlainText(text))
    return { operand, operator: 'contains', value: text };
  const before = key.position === 'startswith' ? '^' : '';
  const after = key.position === 'endswith' ? '$' : '';
  const placed = before + after === '' ? text : `${before}(?:${text})${after}`;
  const flags = [...new Set(key.flags)].join('');
  const pattern = flags === '' ? placed : `(?${flags})${placed}`;
  try {
    compileRegex(pattern);
  } catch (error) {
    if (error instanceof Fault) throw error.movedTo(value.at);
    throw error;
  }
  return { operand, operator: 'regex', value: pattern };
}

/** Folds the case of text; compares other values as text. */
function folded<E>(operand: Operand<E>): Operand<E> {
  const lower = lowered(operand);
  return isText(operand) && operand.type !== 'ip' ? lower : { ...lower, type: 'string' };
}

function timePart<E>(key: FieldKey, operand: Operand<E>): Operand<E> {
  if (operand.field.name !== '@timestamp') throw wrongType(key, operand, 'a time');
  return { ...operand, key: `${key.part}(${operand.key})`, transforms: [...operand.transforms, key.part!] };
}

function isText<E>({ type }: Operand<E>): boolean {
  return type !== 'number' && type !== 'bool';
}

function wrongType<E>(key: FieldKey, operand: Operand<E>, wanted: string): Fault {
  return new Fault(
    'wrong-type',
    key.at,
    `'${key.field}' is compared as ${wanted}, but '${operand.field.name}' is none`,
  );
}

function number({ text, at }: YamlText): number {
  if (/^(?:-?\d+(?:\.\d+)?|0x[\da-f]+)$/i.test(text)) return Number(text);
  throw new Fault('wrong-type', at, `expected a number, found '${text}'`);
}

function bool({ text, at }: YamlText): boolean {
  if (/^(?:true|yes|1)$/i.test(text)) return true;
  if (/^(?:false|no|0)$/i.test(text)) return false;
  throw new Fault('wrong-type', at, `expected true or false, found '${text}'`);
}

function network({ text, at }: YamlText): string {
  const parsed = parseNetwork(text);
  if (parsed !== undefined) return parsed.text;
  throw new Fault(
    'wrong-type',
    at,
    `expected a network, found '${text}'`,
    'Networks are written 10.0.0.0/8 or fe80::/10.',
  );
}
