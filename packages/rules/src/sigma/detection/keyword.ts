import type { YamlText } from '../../language/file/yaml.ts';
import type { Expression, Operand } from '../../model/expression.ts';
import { compareAny } from './compare.ts';
import type { FieldKey } from './modifiers.ts';
import { type Pattern, parsePattern, WILD } from './pattern.ts';

const WORD = /\w/;
const WILDCARDS: Readonly<Record<number, string>> = { [WILD.run]: '.*', [WILD.single]: '.', [WILD.dash]: '[-/]' };

/**
 * Compares a text with keywords, of which any may fit. A keyword matches whole words, as in the search of a log: `dd`
 * is not in `add`. A keyword that begins or ends with another character, or a wildcard, may be a part there.
 */
export function compareWords<E>(key: FieldKey, operand: Operand<E>, values: readonly YamlText[]): Expression<E> {
  if (key.comparison !== 'text' || key.encodings.length > 0) return compareAny(key, operand, values);
  const parts = values.map((value): Expression<E> => {
    const found = compareAny(key, operand, [value]);
    const words = wordsOf(parsePattern(value.text));
    if (words === undefined) return found;
    const asRegex: FieldKey = { ...key, comparison: 'regex', position: 'whole', flags: 'is' };
    // The plain search comes first: it is fast, and few texts pass it.
    return { kind: 'and', items: [found, compareAny(asRegex, operand, [{ ...value, text: words }])] };
  });
  return parts.length === 1 ? parts[0]! : { kind: 'or', items: parts };
}

/** Returns the regular expression of a keyword's words; undefined: none of its ends is a letter, digit or _. */
function wordsOf(pattern: Pattern): string | undefined {
  const [first, last] = [pattern[0], pattern.at(-1)];
  const begins = typeof first === 'string' && WORD.test(first[0] ?? '');
  const ends = typeof last === 'string' && WORD.test(last.at(-1) ?? '');
  if (!begins && !ends) return undefined;
  const text = pattern.map((piece) => (typeof piece === 'string' ? escaped(piece) : (WILDCARDS[piece] ?? ''))).join('');
  return `${begins ? '(?:^|\\W)' : ''}${text}${ends ? '(?:\\W|$)' : ''}`;
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
