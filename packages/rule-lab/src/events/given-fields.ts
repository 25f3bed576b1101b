import { catalogue, eventKinds, type Field, type FieldValue } from '@ringfence/fields';
import { didYouMean } from '@ringfence/rules';

export type GivenValue = Exclude<FieldValue, undefined>;

/** A field as a test writes it down: `process.env_vars[PATH]` has an argument. */
export interface GivenField {
  readonly field: Field;
  readonly argument: string | number | undefined;
  readonly value: GivenValue;
}

/** Fields by name, with the argument if there is one: `process.env_vars[PATH]`. */
export type GivenFields = ReadonlyMap<string, GivenField>;

/** A fault in a written event. `key`: the key that is at fault; empty: the event as a whole. */
export class GivenError extends Error {
  override readonly name = 'GivenError';
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.key = key;
  }
}

const byName = new Map(
  catalogue.fields.flatMap((field) => [field.name, ...(field.aliases ?? [])].map((name) => [name, field] as const)),
);

/** @param keys that could have been meant instead of a field @throws GivenError */
export function readField(key: string, value: unknown, keys: readonly string[]): GivenField {
  const [, name = key, written] = /^([^[\]]+)(?:\[(.*)\])?$/.exec(key) ?? [];
  const field = byName.get(name);
  if (field === undefined)
    throw new GivenError(key, `unknown field '${name}'. ${didYouMean(name, [...byName.keys(), ...keys])}`.trim());
  const argument = written !== undefined && field.argument === 'index' ? Number(written) : written;
  const complete = argument !== undefined || field.argument === undefined || field.argumentOptional === true;
  if (!complete || (argument !== undefined && field.argument === undefined) || Number.isNaN(argument))
    throw new GivenError(key, `'${name}' ${field.argument === undefined ? 'takes no' : 'needs an'} argument`);
  return { field, argument, value: typed(key, field, argument, value) };
}

function typed(key: string, { name, type, argument: takes }: Field, argument: unknown, value: unknown): GivenValue {
  // With an argument, a field of several texts has one.
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

/**
 * Returns the kind that has the action and may have all the fields.
 * @param kind the only one that is possible
 * @throws GivenError
 */
export function kindOf(fields: GivenFields, kind?: string): string {
  const action = fields.get('event.action') ?? fields.get('evt.type');
  const possible = kind === undefined ? possibleKinds(fields, action) : [kind];
  if (action !== undefined && kind !== undefined && !kindsWith(action.field, String(action.value)).includes(kind))
    throw new GivenError(action.field.name, `'exec' executes a program: it is no '${action.value}'`);
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

function possibleKinds(fields: GivenFields, action: GivenField | undefined): readonly string[] {
  if (fields.has('message')) return ['log'];
  if (action === undefined)
    throw new GivenError('', "an event needs 'event.action': exec, open, connect, …; a line of a log needs 'message'");
  const { field, value } = action;
  // io_uring does what system calls do: fields of its own tell it from them.
  const possible = kindsWith(field, String(value)).sort((a, b) => Number(a === 'io_uring') - Number(b === 'io_uring'));
  if (possible.length > 0) return possible;
  const known = [...Object.values(field.constants ?? {}), ...Object.values(field.values ?? {}).flat()];
  throw new GivenError(field.name, `no event has '${value}'. ${didYouMean(String(value), known.map(String))}`.trim());
}

function kindsWith({ constants = {}, values = {} }: Field, value: string): string[] {
  return eventKinds.names.filter((kind) => constants[kind] === value || values[kind]?.includes(value));
}
