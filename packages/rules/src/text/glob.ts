/** One position of a glob: a character, any one character, one of a class, or any run. */
type Piece =
  | string
  | { readonly any: 'one' | 'run' }
  | { readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] };

/** The meaning of a glob in simpler operators, if there is one: these can be looked up instead of tried. */
export type GlobMeaning = {
  readonly operator: 'equals' | 'startswith' | 'endswith' | 'contains' | 'glob';
  readonly text: string;
};

/**
 * Parses a glob: `*` is any run ('/' included), `?` one character, `[a-z]` and `[!a-z]` are classes, a backslash
 * escapes the next character.
 */
export function globMeaning(pattern: string): GlobMeaning {
  const pieces = parse(pattern);
  const head = pieces[0] === RUN;
  const tail = pieces.length > 1 && pieces.at(-1) === RUN;
  const core = pieces.slice(head ? 1 : 0, tail ? -1 : undefined);
  if (!core.every((piece) => typeof piece === 'string')) return { operator: 'glob', text: pattern };
  const text = core.join('');
  if (head && tail) return { operator: 'contains', text };
  if (head) return { operator: 'endswith', text };
  return { operator: tail ? 'startswith' : 'equals', text };
}

/** Returns the text that every match starts with. */
export function globPrefix(pattern: string): string {
  let prefix = '';
  for (const piece of parse(pattern)) {
    if (typeof piece !== 'string') break;
    prefix += piece;
  }
  return prefix;
}

/** Returns the text that every match ends with. */
export function globSuffix(pattern: string): string {
  const pieces = parse(pattern);
  return pieces.slice(pieces.findLastIndex((piece) => typeof piece !== 'string') + 1).join('');
}

/** Returns the texts between the glob's wildcards: what every match starts with, ends with, and contains. */
export function globLiterals(pattern: string): readonly {
  readonly operator: 'startswith' | 'endswith' | 'contains';
  readonly text: string;
}[] {
  const runs: string[] = [''];
  for (const piece of parse(pattern)) {
    if (typeof piece === 'string') runs[runs.length - 1] += piece;
    else runs.push('');
  }
  return runs.map((text, i) => ({
    operator: i === 0 ? 'startswith' : i === runs.length - 1 ? 'endswith' : 'contains',
    text,
  }));
}

/** Matches in at most (text × pattern) steps: only the last run is retried, never runs within runs. */
export function compileGlob(pattern: string): (text: string) => boolean {
  const pieces = parse(pattern);
  return (text) => {
    let at = 0;
    let piece = 0;
    let runPiece = -1;
    let runAt = 0;
    while (at < text.length) {
      const wanted = pieces[piece];
      if (wanted === RUN) {
        runPiece = piece++;
        runAt = at;
      } else if (wanted !== undefined && fits(wanted, text, at)) {
        piece++;
        at++;
      } else if (runPiece >= 0) {
        piece = runPiece + 1;
        at = ++runAt;
      } else return false;
    }
    while (piece < pieces.length && pieces[piece] === RUN) piece++;
    return piece === pieces.length;
  };
}

const RUN: Piece = { any: 'run' };
const ANY_CHARACTER: Piece = { any: 'one' };

function fits(piece: Piece, text: string, at: number): boolean {
  if (typeof piece === 'string') return text[at] === piece;
  if ('any' in piece) return true;
  const code = text.charCodeAt(at);
  return piece.ranges.some(([low, high]) => code >= low && code <= high) !== piece.negated;
}

function parse(pattern: string): Piece[] {
  const pieces: Piece[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '*') {
      if (pieces.at(-1) !== RUN) pieces.push(RUN);
    } else if (char === '?') pieces.push(ANY_CHARACTER);
    else if (char === '\\' && i + 1 < pattern.length) pieces.push(pattern[++i]!);
    else if (char === '[') {
      const end = pattern.indexOf(']', i + 2 + (pattern[i + 1] === '!' ? 1 : 0));
      if (end === -1) pieces.push('[');
      else {
        pieces.push(characterClass(pattern.slice(i + 1, end)));
        i = end;
      }
    } else pieces.push(char);
  }
  return pieces;
}

function characterClass(inside: string): Piece {
  const negated = inside.startsWith('!') || inside.startsWith('^');
  const text = negated ? inside.slice(1) : inside;
  const ranges: [number, number][] = [];
  for (let i = 0; i < text.length; i++) {
    const low = text.charCodeAt(i);
    const isRange = text[i + 1] === '-' && i + 2 < text.length;
    ranges.push([low, isRange ? text.charCodeAt(i + 2) : low]);
    if (isRange) i += 2;
  }
  return { negated, ranges };
}
