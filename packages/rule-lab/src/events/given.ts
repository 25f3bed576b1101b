import { catalogue, eventKinds, type Field, type FieldValue } from '@ringfence/fields';
import { didYouMean } from '@ringfence/rules';

export type GivenValue = Exclude<FieldValue, undefined>;

/** A field as somebody wrote it down: `process.env_vars[PATH]` has an argument. */
export interface GivenField {
  readonly field: Field;
  readonly argument: string | number | undefined;
  readonly value: GivenValue;
}

/** An event as somebody wrote it down, by ECS names or their aliases. */
export interface GivenEvent {
  /** name of its kind; undefined: nothing happens, time passes */
  readonly kind: string | undefined;
  /** by the field's name, with its argument if it has one */
  readonly fields: ReadonlyMap<string, GivenField>;
  /** µs since the one before */
  readonly afterUs: number;
  /** how often, each time `afterUs` later */
  readonly repeat: number;
}

/** What is wrong with a written event. `key`: at which of its keys; empty: the event. */
export class GivenError extends Error {
  override readonly name = 'GivenError';
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.key = key;
  }
}

const MAX_REPEAT = 10_000;
/** Between events that don't say more. */
const STEP_US = 1_000;
const UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 6e7, h: 3.6e9, d: 8.64e10 };

const byName = new Map(
  catalogue.fields.flatMap((field) => [field.name, ...(field.aliases ?? [])].map((name) => [name, field] as const)),
);

/** `{n}` in a text counts the repetitions, from 1. @throws GivenError */
export function readGiven(entries: Iterable<readonly [key: string, value: unknown]>): GivenEvent {
  const fields = new Map<string, GivenField>();
  let afterUs = STEP_US;
  let repeat = 1;
  for (const [key, value] of entries) {
    if (key === 'after') afterUs = readDuration(key, value);
    else if (key === 'repeat') repeat = readRepeat(value);
    else {
      const given = readField(key, value);
      const name = given.argument === undefined ? given.field.name : `${given.field.name}[${given.argument}]`;
      if (fields.has(name)) throw new GivenError(key, `'${name}' is given twice`);
      fields.set(name, given);
    }
  }
  return { kind: fields.size === 0 ? undefined : kindOf(fields), fields, afterUs, repeat };
}

function readField(key: string, value: unknown): GivenField {
  const [, name = key, written] = /^([^[\]]+)(?:\[(.*)\])?$/.exec(key) ?? [];
  const field = byName.get(name);
  if (field === undefined)
    throw new GivenError(key, `unknown field '${name}'. ${didYouMean(name, byName.keys())}`.trim());
  const argument = written !== undefined && field.argument === 'index' ? Number(written) : written;
  const complete = argument !== undefined || field.argument === undefined || field.argumentOptional === true;
  if (!complete || (argument !== undefined && field.argument === undefined) || Number.isNaN(argument))
    throw new GivenError(key, `'${name}' ${field.argument === undefined ? 'takes no' : 'needs an'} argument`);
  return { field, argument, value: typed(key, field, argument, value) };
}

function typed(key: string, { name, type, argument: takes }: Field, argument: unknown, value: unknown): GivenValue {
  // One of several: the text of that one.
  if (type === 'strings' && !(takes === 'key' && argument !== undefined)) return asTexts(key, value);
  if (Array.isArray(value) || typeof value === 'object') throw new GivenError(key, `'${name}' has one value`);
  const text = String(value);
  if (type === 'strings') return [text];
  if (type === 'bool') {
    if (text === 'true' || text === 'false') return text === 'true';
    throw new GivenError(key, `'${name}' is true or false, not '${text}'`);
  }
  if (type !== 'number') return text;
  const number = text.trim() === '' || /\{n\}/.test(text) ? Number.NaN : Number(text);
  if (Number.isNaN(number) && !/^\d*\{n\}$/.test(text))
    throw new GivenError(key, `'${name}' is a number, not '${text}'`);
  return Number.isNaN(number) ? text : number;
}

function asTexts(key: string, value: unknown): string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (items.some((item) => typeof item === 'object')) throw new GivenError(key, `'${key}' is a list of texts`);
  return items.map(String);
}

function readDuration(key: string, value: unknown): number {
  const [, number, unit = ''] = /^(\d{1,9})(us|ms|s|m|h|d)$/.exec(String(value)) ?? [];
  if (number === undefined) throw new GivenError(key, `'${value}' is no duration: write 500ms, 10s or 5m`);
  return Number(number) * (UNITS[unit] ?? 1);
}

function readRepeat(value: unknown): number {
  const repeat = Number(value);
  if (Number.isInteger(repeat) && repeat >= 1 && repeat <= MAX_REPEAT) return repeat;
  throw new GivenError('repeat', `'repeat' is a number from 1 to ${MAX_REPEAT}, not '${value}'`);
}

/** The kind of event that has the action, and may have all the fields. */
function kindOf(fields: ReadonlyMap<string, GivenField>): string {
  const said = fields.get('event.action') ?? fields.get('evt.type');
  if (said === undefined && !fields.has('message'))
    throw new GivenError('', "an event needs 'event.action': exec, open, connect, …; a line of a log needs 'message'");
  const possible = fields.has('message') ? ['log'] : kindsWith(said!.field, String(said!.value));
  if (possible.length === 0) {
    const known = [...Object.values(said!.field.constants ?? {}), ...Object.values(said!.field.values ?? {}).flat()];
    throw new GivenError(
      said!.field.name,
      `no event has '${said!.value}'. ${didYouMean(String(said!.value), known.map(String))}`.trim(),
    );
  }
  const stranger = (kind: string): string | undefined =>
    [...fields].find(([, { field }]) => field.kinds !== undefined && !field.kinds.includes(kind))?.[0];
  const fitting = possible.find((kind) => stranger(kind) === undefined);
  if (fitting !== undefined) return fitting;
  const name = stranger(possible[0]!)!;
  throw new GivenError(
    name,
    `'${name}' is on ${fields.get(name)!.field.kinds!.join(', ')}, not on ${possible.join(', ')}`,
  );
}

function kindsWith({ constants = {}, values = {} }: Field, value: string): string[] {
  return eventKinds.names.filter((kind) => constants[kind] === value || values[kind]?.includes(value));
}

/** With `{n}` replaced by how often it has happened. */
export function numbered(given: GivenEvent, n: number): GivenEvent {
  if (given.repeat === 1) return given;
  const replaced = (text: string): string => text.replaceAll('{n}', String(n));
  const fields = [...given.fields].map(([name, one]): [string, GivenField] => {
    const { value, field } = one;
    if (typeof value === 'object') return [name, { ...one, value: value.map(replaced) }];
    if (typeof value !== 'string') return [name, one];
    const text = replaced(value);
    return [name, { ...one, value: field.type === 'number' ? Number(text) : text }];
  });
  return { ...given, fields: new Map(fields) };
}
