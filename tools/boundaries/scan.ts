/** One comment of a source file. */
export interface Comment {
  /** Line of its first character, from 1. */
  readonly line: number;
  readonly text: string;
}

export interface Scanned {
  readonly comments: readonly Comment[];
  /**
   * The source with comments, template literals and double-quoted literals replaced by spaces. Imports are
   * single-quoted, so code in other literals is no import. Line numbers stay the same.
   */
  readonly code: string;
}

/** A slash after one of these starts a regular expression; elsewhere it is a division. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%~^<>\n]|\breturn|\btypeof|\bcase|=>)\s*$/;

const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ');

/** Splits TypeScript, JavaScript or C into comments and code, with enough precision for imports and comments only. */
export function scan(source: string): Scanned {
  const comments: Comment[] = [];
  let code = '';
  let line = 1;
  for (let at = 0; at < source.length; ) {
    const end = tokenEnd(source, at, code);
    const token = source.slice(at, end);
    if (token.startsWith('//') || token.startsWith('/*')) comments.push({ line, text: token });
    const isHidden = /^(?:\/[/*]|[`"])/.test(token);
    code += isHidden ? blank(token) : token;
    line += token.split('\n').length - 1;
    at = end;
  }
  return { comments, code };
}

/** Returns the end of the comment, literal or character that starts at `at`. */
function tokenEnd(source: string, at: number, before: string): number {
  const char = source[at];
  if (source.startsWith('//', at)) return endOr(source.indexOf('\n', at), source);
  if (source.startsWith('/*', at)) return endOr(source.indexOf('*/', at + 2) + 2, source);
  if (char === "'" || char === '"') return literalEnd(source, at, char);
  if (char === '`') return templateEnd(source, at);
  if (char === '/' && BEFORE_REGEX.test(before.slice(-20))) return regexEnd(source, at);
  return at + 1;
}

const endOr = (end: number, source: string): number => (end < 2 ? source.length : end);

function literalEnd(source: string, at: number, quote: string): number {
  for (let end = at + 1; end < source.length; end++) {
    if (source[end] === '\\') end++;
    else if (source[end] === quote) return end + 1;
    else if (source[end] === '\n') return end;
  }
  return source.length;
}

function templateEnd(source: string, at: number): number {
  for (let end = at + 1; end < source.length; end++) {
    if (source[end] === '\\') end++;
    else if (source[end] === '`') return end + 1;
    else if (source.startsWith('${', end)) end = substitutionEnd(source, end + 2) - 1;
  }
  return source.length;
}

function substitutionEnd(source: string, at: number): number {
  let depth = 1;
  for (let end = at; end < source.length; ) {
    const char = source[end];
    if (char === '{') depth++;
    if (char === '}' && --depth === 0) return end + 1;
    end = char === '`' || char === "'" || char === '"' ? tokenEnd(source, end, '') : end + 1;
  }
  return source.length;
}

function regexEnd(source: string, at: number): number {
  let inClass = false;
  for (let end = at + 1; end < source.length; end++) {
    const char = source[end];
    if (char === '\\') end++;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return end + 1;
    else if (char === '\n') return at + 1;
  }
  return at + 1;
}
