import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Home, Yaml, YamlEntry, YamlMap, YamlText } from '../file/yaml.ts';
import { KEYS } from './format.ts';

export type Kind = 'rule' | 'macro' | 'list';
type Operation = 'append' | 'replace';

/** One item of a file as written: the first of its name, or one that changes an earlier one. */
export interface Definition {
  readonly kind: Kind;
  readonly name: string;
  readonly at: number;
  readonly home: Home;
  readonly keys: ReadonlyMap<string, YamlEntry>;
  /** Operations on single keys; undefined: the item as a whole is defined or appended to. */
  readonly override: ReadonlyMap<string, Operation> | undefined;
  readonly append: boolean;
}

/** Keys that may be appended to, and keys that may be replaced. */
const CHANGEABLE: Readonly<Record<Kind, Readonly<Record<Operation, readonly string[]>>>> = {
  rule: {
    append: ['condition', 'output', 'desc', 'tags', 'exceptions'],
    replace: [
      'condition',
      'output',
      'desc',
      'priority',
      'tags',
      'exceptions',
      'enabled',
      'warn_evttypes',
      'skip-if-unknown-filter',
      'capture',
      'capture_duration',
    ],
  },
  macro: { append: ['condition'], replace: ['condition'] },
  list: { append: ['items'], replace: ['items'] },
};

/** @throws Fault */
export function readDefinition(node: YamlMap, kind: Kind, home: Home): Definition {
  const keys = new Map<string, YamlEntry>();
  for (const entry of node.entries) if (!keys.has(entry.key)) keys.set(entry.key, entry);
  const { text, at } = textOf(keys, kind) ?? fail('missing-key', node.at, `this ${kind} has no name`);
  const name = text.trim();
  if (name === '') fail('missing-key', at, `this ${kind} has no name`);
  warnOfUnknownKeys(keys, kind, name, home);
  const append = flagOf(keys, 'append') ?? false;
  if (append && keys.has('override'))
    fail('falco-override', keys.get('append')!.at, "'append' and 'override' exclude each other", 'Keep override.');
  const override = readOverride(keys, kind);
  return { kind, name, at, home, keys, override, append };
}

/** Falco warns about them too. */
function warnOfUnknownKeys(keys: ReadonlyMap<string, YamlEntry>, kind: Kind, name: string, home: Home): void {
  const known: readonly string[] = KEYS[kind];
  for (const { key, at } of keys.values()) {
    if (known.includes(key)) continue;
    const hint = didYouMean(key, known, `Keys: ${known.join(', ')}.`);
    home.report('warning', new Fault('unknown-key', at, `unknown key '${key}' in a ${kind} is ignored`, hint), name);
  }
}

function readOverride(keys: ReadonlyMap<string, YamlEntry>, kind: Kind): Map<string, Operation> | undefined {
  const value = keys.get('override')?.value;
  if (value === undefined) return undefined;
  const hint = 'Write override: { condition: append }.';
  if (value.kind !== 'map') return fail('falco-override', value.at, "'override' must be a mapping", hint);
  const override = new Map<string, Operation>();
  for (const { key, at, value: operationText } of value.entries) {
    const operation = operationText.kind === 'text' ? operationText.text : '';
    if (operation !== 'append' && operation !== 'replace')
      fail('falco-override', operationText.at, `'${key}' is either appended to or replaced`, hint);
    const allowed = CHANGEABLE[kind][operation as Operation];
    if (!allowed.includes(key)) {
      const refusal = operation === 'append' ? "can't be appended to" : "can't be replaced";
      fail('falco-override', at, `'${key}' of a ${kind} ${refusal}`, `Keys for ${operation}: ${allowed.join(', ')}.`);
    }
    if (!keys.has(key)) fail('falco-override', at, `'override' names '${key}', but the item has no '${key}'`);
    override.set(key, operation as Operation);
  }
  for (const { key, at } of keys.values()) {
    if (key === kind || key === 'override' || key === 'append' || override.has(key)) continue;
    fail('falco-override', at, `'override' doesn't say what to do with '${key}'`, `Add '${key}: replace' to it.`);
  }
  return override;
}

/** Returns undefined if there is no such key. @throws Fault if it is not text */
export function textOf(keys: ReadonlyMap<string, YamlEntry>, key: string): YamlText | undefined {
  const value = keys.get(key)?.value;
  if (value === undefined || value.kind === 'text') return value;
  return fail('shape', value.at, `'${key}' must be text, found a ${value.kind}`);
}

/** @throws Fault */
export function flagOf(keys: ReadonlyMap<string, YamlEntry>, key: string): boolean | undefined {
  const value = textOf(keys, key);
  if (value === undefined) return undefined;
  const word = value.text.toLowerCase();
  if (word === 'true' || word === 'false') return word === 'true';
  return fail('value', value.at, `'${key}' is true or false, found '${value.text}'`);
}

/** Returns the texts of a list; none: the key is missing or empty. @throws Fault */
export function textsOf(keys: ReadonlyMap<string, YamlEntry>, key: string): readonly YamlText[] {
  const value = keys.get(key)?.value;
  if (value === undefined || (value.kind === 'text' && value.text.trim() === '')) return [];
  if (value.kind !== 'list') return fail('shape', value.at, `'${key}' must be a list`, `Write ${key}: [a, b].`);
  return value.items.map((item) => plain(item, key));
}

export function plain(item: Yaml, key: string): YamlText {
  if (item.kind === 'text') return item;
  return fail('shape', item.at, `'${key}' must be a list of texts, found a ${item.kind} in it`);
}

/** Joins texts of several items, and keeps the position of each. @throws Fault if the result is too long */
export function joined(parts: readonly { readonly text: YamlText; readonly home: Home }[]): YamlText {
  const [first] = parts;
  if (parts.length === 1) {
    const { text, home } = first!;
    return { ...text, origin: (offset) => ({ home, at: text.place(offset) }) };
  }
  const text = parts.map((part) => part.text.text.trimEnd()).join(' ');
  if (text.length > LIMITS.conditionLength * 4)
    fail(
      'too-long',
      first!.text.at,
      `${text.length} characters including the appended text`,
      'Define the whole item again.',
    );
  const origin = (offset: number): { home: Home; at: number } => {
    let start = 0;
    for (const { text: part, home } of parts) {
      const length = part.text.trimEnd().length;
      if (offset <= start + length) return { home, at: part.place(offset - start) };
      start += length + 1;
    }
    const last = parts.at(-1)!;
    return { home: last.home, at: last.text.at };
  };
  return { ...first!.text, text, origin };
}

/** @throws Fault */
export function fail(code: string, at: number, message: string, hint = ''): never {
  throw new Fault(code, at, message, hint);
}
