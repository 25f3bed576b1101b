import { didYouMean, withWordsOf } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import type { FieldLookup, FieldSpec, FieldType } from '../../model/catalogue.ts';
import { type Operand, readOperand, type Transform } from '../../model/expression.ts';
import type { OperandSyntax } from '../syntax/syntax.ts';

export const FUNCTIONS: Readonly<Record<string, Transform>> = {
  tolower: 'lower',
  toupper: 'upper',
  basename: 'basename',
  b64: 'base64',
  len: 'length',
  minute: 'minute',
  hour: 'hour',
  day: 'day',
  week: 'week',
  month: 'month',
  year: 'year',
};
const TEXT: ReadonlySet<Transform> = new Set(['lower', 'upper', 'basename', 'base64', 'length']);
const TIME = '@timestamp';

const MAX_INDEX = 65_535;
const MAX_KEY = 256;

/** @throws Fault */
export function resolveOperand<E>(syntax: OperandSyntax, fields: FieldLookup<E>): Operand<E> {
  const field = syntax.joined === undefined ? fields.find(syntax.name) : joinedField(syntax.joined, syntax, fields);
  if (field === undefined) {
    throw new Fault('unknown-field', syntax.at, `unknown field '${syntax.name}'`, () => hintFor(syntax.name, fields));
  }
  const argument = checkArgument(field, syntax);
  const transforms = syntax.functions.toReversed().map((name) => checkFunction(name, syntax.at));
  let type: FieldType = field.type;
  for (const transform of transforms) type = typeAfter(transform, type, syntax);
  const base = argument === undefined ? field.name : `${field.name}[${argument}]`;
  const key = syntax.functions.reduceRight((inner, name) => `${name}(${inner})`, base);
  return { key, field, argument, transforms, type };
}

/** ECS fields by which rules from other sources join. */
const LEADER = /^process\.(?:session|group|entry)_leader\./;

function hintFor<E>(name: string, fields: FieldLookup<E>): string {
  if (LEADER.test(name))
    return 'Use process.session_leader.entity_id, or process.parent.entity_id; host.id with process.session.id is a login.';
  const likely = withWordsOf(name, fields.names());
  const otherwise = "'ringfence rules fields' lists them all.";
  return didYouMean(name, fields.names(), likely === undefined ? otherwise : `Did you mean '${likely}'?`);
}

/** A field made of others; it has a value if all of them have one. */
function joinedField<E>(
  { parts, separator }: NonNullable<OperandSyntax['joined']>,
  { name }: OperandSyntax,
  fields: FieldLookup<E>,
): FieldSpec<E> {
  const resolved = parts.map((part) => (typeof part === 'string' ? part : resolveOperand(part, fields)));
  const list = resolved.map((part) => (typeof part === 'string' ? JSON.stringify(part) : part.key)).join(', ');
  const get = (event: E): string | undefined => {
    const texts = resolved.map((part) => (typeof part === 'string' ? part : readOperand(part, event)));
    if (texts.includes(undefined)) return undefined;
    return texts.map((text) => (typeof text === 'object' ? text.join(' ') : String(text))).join(separator);
  };
  const written = name === 'join' ? `join(${JSON.stringify(separator)}, (${list}))` : `concat(${list})`;
  return { name: written, type: 'string', doc: 'Several fields as one text.', get };
}

/** `icontains` and similar operators are the plain operator on the lower-cased value. */
export function lowered<E>(operand: Operand<E>): Operand<E> {
  if (operand.transforms.at(-1) === 'lower') return operand;
  return { ...operand, key: `tolower(${operand.key})`, transforms: [...operand.transforms, 'lower'] };
}

function checkFunction(name: string, at: number): Transform {
  const transform = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (transform !== undefined) return transform;
  if (name === 'val')
    throw new Fault(
      'unknown-function',
      at,
      'val() must be the whole value behind an operator',
      'As in x = val(y), x = tolower(y).',
    );
  const known = [...Object.keys(FUNCTIONS), 'concat', 'join'];
  throw new Fault(
    'unknown-function',
    at,
    `unknown function '${name}'`,
    didYouMean(name, known, `Functions: ${known.join(', ')}.`),
  );
}

function typeAfter(transform: Transform, type: FieldType, syntax: OperandSyntax): FieldType {
  if (!TEXT.has(transform)) {
    if (syntax.name === TIME) return 'number';
    throw new Fault('wrong-type', syntax.at, `'${syntax.name}' is not a time; '${transform}' works on ${TIME}`);
  }
  // The digits of a number, for tests of its start or end.
  if (type === 'number' && transform === 'lower') return 'string';
  if (type === 'number' || type === 'bool') {
    throw new Fault('wrong-type', syntax.at, `'${syntax.name}' is a ${type}; functions work on text`);
  }
  if (transform === 'length') return 'number';
  return type === 'ip' ? 'string' : type;
}

function checkArgument<E>(field: FieldSpec<E>, syntax: OperandSyntax): string | number | undefined {
  const { argument, at } = syntax;
  if (argument === undefined || argument === '') {
    if (field.argument === undefined && argument === undefined) return undefined;
    if (field.argument !== undefined && field.argumentOptional === true && argument === undefined) return undefined;
    const example = field.argument === 'index' ? `${field.name}[1]` : `${field.name}[name]`;
    throw new Fault('argument', at, `'${syntax.name}' needs an argument`, `Write it as in ${example}.`);
  }
  if (field.argument === undefined)
    throw new Fault(
      'argument',
      at,
      `'${syntax.name}' takes no argument`,
      `Write ${syntax.name} without [${argument}].`,
    );
  if (field.argument === 'key') {
    if (argument.length <= MAX_KEY) return argument;
    throw new Fault('argument', at, `the argument of '${syntax.name}' is longer than ${MAX_KEY} characters`);
  }
  if (/^\d{1,5}$/.test(argument) && Number(argument) <= MAX_INDEX) return Number(argument);
  throw new Fault('argument', at, `'${syntax.name}[${argument}]': expected a number from 0 to ${MAX_INDEX}`);
}
