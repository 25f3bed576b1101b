import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import type { Transform } from '../../model/expression.ts';
import { ENCODINGS, type Encoding } from './encodings.ts';

export type Position = 'whole' | 'contains' | 'startswith' | 'endswith';
/** How a value is compared. */
export type Comparison = 'text' | 'regex' | 'cidr' | 'fieldref' | 'exists' | Numeric;
type Numeric = 'less' | 'lessOrEqual' | 'greater' | 'greaterOrEqual';

/** A key of a selection: `CommandLine|contains|all`. */
export interface FieldKey {
  /** Empty: keywords. */
  readonly field: string;
  /** Offset of the key in its file. */
  readonly at: number;
  readonly position: Position;
  readonly comparison: Comparison;
  /** Every value must fit, not just one. */
  readonly all: boolean;
  readonly cased: boolean;
  readonly negated: boolean;
  readonly windash: boolean;
  readonly expand: boolean;
  /** In the order given. */
  readonly encodings: readonly Encoding[];
  /** Flags of a regular expression: i, m, s. */
  readonly flags: string;
  /** The part of a time that is compared. */
  readonly part: Transform | undefined;
}

type Draft = { -readonly [Key in keyof FieldKey]: FieldKey[Key] };

const POSITIONS = ['contains', 'startswith', 'endswith'] as const;
const COMPARISONS: Readonly<Record<string, Comparison>> = {
  re: 'regex',
  cidr: 'cidr',
  fieldref: 'fieldref',
  exists: 'exists',
  lt: 'less',
  lte: 'lessOrEqual',
  gt: 'greater',
  gte: 'greaterOrEqual',
};
const SWITCHES = ['all', 'cased', 'neq', 'windash', 'expand'] as const;
const FLAGS = ['i', 'm', 's', 'ignorecase', 'multiline', 'dotall'] as const;
const PARTS = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const;
const MODIFIERS: readonly string[] = [
  ...POSITIONS,
  ...Object.keys(COMPARISONS),
  ...SWITCHES,
  ...FLAGS,
  ...PARTS,
  ...ENCODINGS,
];

/** @throws Fault at the wrong modifier */
export function parseFieldKey(key: string, at: number): FieldKey {
  const [field = '', ...words] = key.split('|');
  const draft: Draft = {
    field: field.trim(),
    at,
    position: 'whole',
    comparison: 'text',
    all: false,
    cased: false,
    negated: false,
    windash: false,
    expand: false,
    encodings: [],
    flags: '',
    part: undefined,
  };
  let offset = at + field.length + 1;
  for (const word of words) {
    apply(draft, word, offset);
    offset += word.length + 1;
  }
  check(draft);
  return draft;
}

function apply(draft: Draft, word: string, at: number): void {
  const comparison = Object.hasOwn(COMPARISONS, word) ? COMPARISONS[word] : undefined;
  if (comparison !== undefined) {
    if (draft.comparison !== 'text') throw clash(word, at, 'it is a second comparison');
    draft.comparison = comparison;
  } else if (isOneOf(POSITIONS, word)) draft.position = word;
  else if (isOneOf(ENCODINGS, word)) draft.encodings = [...draft.encodings, word];
  else if (isOneOf(PARTS, word)) draft.part = word;
  else if (isOneOf(FLAGS, word)) addFlag(draft, word, at);
  else if (word === 'neq') draft.negated = true;
  else if (isOneOf(SWITCHES, word)) draft[word as 'all'] = true;
  else {
    const hint = didYouMean(word, MODIFIERS, `Modifiers: ${MODIFIERS.join(', ')}.`);
    throw new Fault('unknown-modifier', at, `unknown modifier '${word}'`, hint);
  }
}

function addFlag(draft: Draft, word: string, at: number): void {
  if (draft.comparison !== 'regex')
    throw new Fault('modifier', at, `'${word}' works only with 're'`, `Write |re|${word}.`);
  draft.flags += { ignorecase: 'i', multiline: 'm', dotall: 's' }[word] ?? word;
}

function check(key: Draft): void {
  const { comparison, at } = key;
  const plain = comparison === 'text';
  if (key.encodings.length > 0 && !plain) throw clash(key.encodings[0]!, at, `'${comparison}' takes values unchanged`);
  if (key.windash && !plain) throw clash('windash', at, `'${comparison}' takes values unchanged`);
  const placed = plain || comparison === 'regex' || comparison === 'fieldref';
  if (key.position !== 'whole' && !placed) throw clash(key.position, at, `'${comparison}' compares whole values`);
  if (key.field === '' && comparison !== 'text' && comparison !== 'regex')
    throw new Fault('modifier', at, `'${comparison}' needs a field`, 'Write Field|modifier: value.');
  if (key.part !== undefined && key.position !== 'whole') throw clash(key.position, at, 'a part of a time is a number');
}

function clash(word: string, at: number, why: string): Fault {
  return new Fault('modifier', at, `'${word}' can't be used here: ${why}`);
}

function isOneOf<T extends string>(words: readonly T[], word: string): word is T {
  return (words as readonly string[]).includes(word);
}
