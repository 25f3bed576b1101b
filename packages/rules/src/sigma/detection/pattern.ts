import { type GlobMeaning, globMeaning } from '../../text/glob.ts';

/** Placeholders for unknown text. */
export const WILD = { run: 0, single: 1, dash: 2 } as const;
type Wild = (typeof WILD)[keyof typeof WILD];

/** A parsed value of a Sigma rule: pieces of text and the wildcards between them. */
export type Pattern = readonly (string | Wild)[];

/** Hyphen, slash and the dashes that programs accept instead. */
const DASHES = '[-/\u2013\u2014\u2015]';
const DASH = /\B[-/\u2013\u2014\u2015](?=\w)/g;

/**
 * Parses a value: `*` and `?` are wildcards. A backslash escapes a wildcard or another backslash, and is literal in
 * front of anything else.
 */
export function parsePattern(text: string): Pattern {
  const pieces: (string | Wild)[] = [];
  let run = '';
  const close = (wild: Wild): void => {
    if (run !== '') pieces.push(run);
    run = '';
    if (wild !== WILD.run || pieces.at(-1) !== WILD.run) pieces.push(wild);
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '*') close(WILD.run);
    else if (char === '?') close(WILD.single);
    else if (char === '\\' && /[*?\\]/.test(text[i + 1] ?? '')) run += text[++i]!;
    else run += char;
  }
  if (run !== '') pieces.push(run);
  return pieces;
}

/** Returns the text of a pattern without wildcards; undefined: it has some. */
export function plainText(pattern: Pattern): string | undefined {
  if (pattern.length === 0) return '';
  return pattern.length === 1 && typeof pattern[0] === 'string' ? pattern[0] : undefined;
}

/** `windash`: a hyphen or slash at the start of a word stands for any dash. */
export function withDashes(pattern: Pattern): Pattern {
  return pattern.flatMap((piece): Pattern => {
    if (typeof piece !== 'string') return [piece];
    const parts = piece.split(DASH);
    return parts.flatMap((part, i) => [...(i === 0 ? [] : [WILD.dash]), ...(part === '' ? [] : [part])]);
  });
}

/** Allows any text before, after or around the pattern. */
export function within(pattern: Pattern, position: 'whole' | 'contains' | 'startswith' | 'endswith'): Pattern {
  const before = position === 'contains' || position === 'endswith' ? [WILD.run] : [];
  const after = position === 'contains' || position === 'startswith' ? [WILD.run] : [];
  return [...before, ...pattern, ...after];
}

/** Returns an operator and a text with the same meaning; `fold` prepares the letters for the comparison. */
export function meaningOf(pattern: Pattern, fold: (text: string) => string): GlobMeaning {
  return globMeaning(globOf(pattern, fold));
}

/** Returns the pattern as a glob. */
export function globOf(pattern: Pattern, fold: (text: string) => string): string {
  return pattern.map((piece) => asGlob(piece, fold)).join('');
}

function asGlob(piece: string | Wild, fold: (text: string) => string): string {
  if (piece === WILD.run) return '*';
  if (piece === WILD.single) return '?';
  if (piece === WILD.dash) return DASHES;
  return fold(piece as string).replaceAll(/[\\*?[]/g, '\\$&');
}
