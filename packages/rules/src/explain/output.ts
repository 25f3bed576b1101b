import { durationText } from '@ringfence/base';
import { maskSecrets } from '@ringfence/wire';
import { Fault } from '../diagnostics/errors.ts';
import { resolveOperand } from '../language/resolve/operand.ts';
import { keep, type StepNames } from '../language/sequence/resolve-sequence.ts';
import type { OperandSyntax } from '../language/syntax/syntax.ts';
import type { FieldLookup, FieldValue } from '../model/catalogue.ts';
import { type Operand, readOperand } from '../model/expression.ts';
import { LIMITS } from '../model/limits.ts';
import type { CompiledRule, OutputPart, StepOperand } from '../model/rule.ts';
import { eventNumber, type Sequence, type SequenceMatch } from '../model/sequence.ts';

/** Fields that follow the description in the output of a rule without an `output`. */
const MAIN_FIELDS = 6;
/** `1.` or `$a.` in front names a step of a sequence. */
const PLACEHOLDER =
  /%(?:%|(?:(\d{1,2}|\$[a-z_]\w*)\.)?((?:[a-z][a-z0-9]*\()*)([a-z_]\w*(?:\.\w+)*)(?:\[([^\]]*)\])?(\)*))/gi;
/** Characters that could move a cursor, start an escape sequence, break the line, or reverse the reading direction. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * Parses an output. `%field` and `%field[argument]` are fields, `%tolower(field)` is a function of a field,
 * `%duration(field)` shows seconds as a duration, `%%` is a percent sign; `%1.field` and `%$a.field` are fields of a
 * sequence's steps.
 * @throws Fault at a placeholder that can't be filled
 */
export function parseOutput<E>(text: string, fields: FieldLookup<E>, steps?: StepNames<E>): OutputPart<E>[] {
  const parts: OutputPart<E>[] = [];
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    const [whole, step, called = '', name, argument, closed = ''] = match;
    const literal = text.slice(end, match.index) + (whole === '%%' ? '%' : '');
    if (literal !== '') parts.push(literal);
    if (step !== undefined && steps === undefined) {
      parts.push(whole);
      end = match.index + whole.length;
      continue;
    }
    const functions = called.split('(').slice(0, -1);
    if (functions.length > closed.length)
      throw new Fault('syntax', match.index, "this '(' is never closed", `Write ${whole}).`);
    if (name !== undefined) {
      const syntax = { functions, name, argument, at: match.index };
      parts.push(step === undefined ? placeholder(syntax, fields) : stepField(step, syntax, fields, steps!));
    }
    // Further parentheses belong to the text around the placeholder.
    end = match.index + whole.length - (closed.length - functions.length);
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

function placeholder<E>(syntax: OperandSyntax, fields: FieldLookup<E>): OutputPart<E> {
  const { functions, name, at } = syntax;
  if (functions[0] !== 'duration') return resolveOperand(syntax, fields);
  return { seconds: secondsField(name, at, fields) };
}

function stepField<E>(
  name: string,
  syntax: OperandSyntax,
  fields: FieldLookup<E>,
  steps: StepNames<E>,
): StepOperand<E> {
  const step = steps.stepOf(name);
  if (step === undefined) {
    const hint = name.startsWith('$') ? `Name a step: [ … ] as ${name}.` : 'Steps that must not happen have no number.';
    throw new Fault('unknown-step', syntax.at, `the sequence has no step '${name}'`, hint);
  }
  const operand = resolveOperand(syntax, fields);
  return { operand, kept: keep(steps.kept, step, operand) };
}

function secondsField<E>(name: string, at: number, fields: FieldLookup<E>): Operand<E> {
  const operand = resolveOperand({ name, argument: undefined, functions: [], at }, fields);
  if (operand.type === 'number') return operand;
  throw new Fault('wrong-type', at, `'${name}' is a ${operand.type}; duration works on seconds`);
}

/** Returns the description, then the operands of the condition. */
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

/** Formats the line of an alert. Characters that a process chose can't control a terminal: see `printable`. */
export function formatOutput<E>(rule: CompiledRule<E>, event: E, sequence?: SequenceMatch): string {
  const text = (part: OutputPart<E>): string =>
    typeof part === 'string' ? part : shown(valueIn(part, event, sequence));
  return rule.output.map((part) => printable(text(part))).join('');
}

function valueIn<E>(part: Exclude<OutputPart<E>, string>, event: E, sequence: SequenceMatch | undefined): FieldValue {
  if ('kept' in part) return sequence?.values[part.kept];
  if (!('seconds' in part)) return readOperand(part, event);
  const seconds = readOperand(part.seconds, event);
  return typeof seconds === 'number' ? durationText(seconds * 1e6) : seconds;
}

/**
 * Returns the values of the fields that the rule's condition, threshold and output name, as text; for a sequence also
 * the kept values of its steps, as `1.field`.
 */
export function fieldValues<E>(rule: CompiledRule<E>, event: E, sequence?: SequenceMatch): Record<string, string> {
  const values: [string, string][] = [];
  for (const { field, argument } of rule.operands) {
    const value = field.get(event, argument);
    if (value !== undefined) values.push([fieldKey(field.name, argument), printable(shown(value))]);
  }
  if (rule.sequence !== undefined && sequence !== undefined) values.push(...keptValues(rule.sequence, sequence));
  return Object.fromEntries(values);
}

function keptValues<E>(sequence: Sequence<E>, { values }: SequenceMatch): [string, string][] {
  return sequence.kept.flatMap(({ step, operand }, index) => {
    const value = values[index];
    return value === undefined ? [] : [[`${eventNumber(sequence, step)}.${operand.key}`, printable(shown(value))]];
  });
}

/** Escapes control characters (escape sequences start with one), line breaks and direction marks as \xNN or \uNNNN. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

function shown(value: FieldValue): string {
  if (value === undefined) return '<NA>';
  const text = maskSecrets(typeof value === 'object' ? value.join(' ') : String(value));
  return text.length <= LIMITS.outputValue ? text : `${text.slice(0, LIMITS.outputValue)}…`;
}

/** Readers of an alert know the field by its name in the rule. */
function fieldKey(name: string, argument: string | number | undefined): string {
  const called = name.startsWith('falco.') ? name.slice('falco.'.length) : name;
  return argument === undefined ? called : `${called}[${argument}]`;
}
