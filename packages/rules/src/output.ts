import type { FieldLookup, FieldValue } from './catalogue.ts';
import { durationText } from './duration.ts';
import { Fault } from './errors.ts';
import { type Operand, readOperand } from './expression.ts';
import { resolveOperand } from './language/operand.ts';
import { LIMITS } from './limits.ts';
import type { CompiledRule, OutputPart } from './rule.ts';

/** Fields that a rule without an output shows after its description. */
const MAIN_FIELDS = 6;
const PLACEHOLDER = /%(?:%|((?:[a-z][a-z0-9]*\()*)([a-z_]\w*(?:\.\w+)*)(?:\[([^\]]*)\])?(\)*))/gi;
/** What could move a cursor, start an escape sequence, break the line, or reverse what is read. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * `%field` and `%field[argument]` are fields, `%tolower(field)` what a function makes of one, `%duration(field)` one of seconds for people, `%%` a percent
 * sign. @throws Fault at the placeholder that can't be filled
 */
export function parseOutput<E>(text: string, fields: FieldLookup<E>): OutputPart<E>[] {
  const parts: OutputPart<E>[] = [];
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    const [whole, called = '', name, argument, closed = ''] = match;
    const literal = text.slice(end, match.index) + (whole === '%%' ? '%' : '');
    if (literal !== '') parts.push(literal);
    const functions = called.split('(').slice(0, -1);
    if (functions.length > closed.length)
      throw new Fault('syntax', match.index, "a ')' is missing for what opens here", `Write ${whole}).`);
    if (name !== undefined) parts.push(placeholder(functions, name, argument, match.index, fields));
    // Further parentheses close what stood before.
    end = match.index + whole.length - (closed.length - functions.length);
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

function placeholder<E>(
  functions: readonly string[],
  name: string,
  argument: string | undefined,
  at: number,
  fields: FieldLookup<E>,
): OutputPart<E> {
  if (functions[0] !== 'duration') return resolveOperand({ name, argument, functions, at }, fields);
  return { seconds: secondsField(name, at, fields) };
}

function secondsField<E>(name: string, at: number, fields: FieldLookup<E>): Operand<E> {
  const operand = resolveOperand({ name, argument: undefined, functions: [], at }, fields);
  if (operand.type === 'number') return operand;
  throw new Fault('wrong-type', at, `'${name}' is a ${operand.type}; duration works on seconds`);
}

/** The description, then what the condition looked at. */
export function defaultOutput<E>(description: string, operands: readonly Operand<E>[]): OutputPart<E>[] {
  const plain = new Map(
    operands.map(({ field, argument, key }) => [
      fieldKey(field.name, argument),
      { field, argument, key, transforms: [], type: field.type },
    ]),
  );
  const shown = [...plain].slice(0, MAIN_FIELDS);
  if (shown.length === 0) return [description];
  const parts = shown.flatMap(([key, operand], i): OutputPart<E>[] => [`${i === 0 ? ' (' : ' '}${key}=`, operand]);
  return [description, ...parts, ')'];
}

/** The alert's line. Nothing a process can name itself gets through to a terminal: see `printable`. */
export function formatOutput<E>(rule: CompiledRule<E>, event: E): string {
  return rule.output.map((part) => printable(typeof part === 'string' ? part : shown(valueIn(part, event)))).join('');
}

function valueIn<E>(part: Exclude<OutputPart<E>, string>, event: E): FieldValue {
  if (!('seconds' in part)) return readOperand(part, event);
  const seconds = readOperand(part.seconds, event);
  return typeof seconds === 'number' ? durationText(seconds * 1e6) : seconds;
}

/** What the rule's condition, threshold and output name and the event has, as text. */
export function fieldValues<E>(rule: CompiledRule<E>, event: E): Record<string, string> {
  const values: [string, string][] = [];
  for (const { field, argument } of rule.operands) {
    const value = field.get(event, argument);
    if (value !== undefined) values.push([fieldKey(field.name, argument), printable(shown(value))]);
  }
  return Object.fromEntries(values);
}

/** Control characters (escape sequences start with one), line breaks and direction marks as \xNN or \uNNNN. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

function shown(value: FieldValue): string {
  if (value === undefined) return '<NA>';
  const text = typeof value === 'object' ? value.join(' ') : String(value);
  return text.length <= LIMITS.outputValue ? text : `${text.slice(0, LIMITS.outputValue)}…`;
}

function fieldKey(name: string, argument: string | number | undefined): string {
  return argument === undefined ? name : `${name}[${argument}]`;
}
