/** A mistake in a file. */
export interface FileProblem {
  readonly file: string;
  /** From 1 */
  readonly line: number;
  /** From 1 */
  readonly column: number;
  readonly message: string;
  /** The line with the mistake, at most 200 characters; empty: unknown */
  readonly source: string;
}

/**
 * Returns `file:line:column: message`, then the line and a caret under the mistake. Characters that a terminal
 * interprets, or shows in another order, are escaped.
 */
export function renderProblem({ file, line, column, message, source }: FileProblem): string {
  const head = escapeControls(`${file}:${line}:${column}: ${message}`);
  if (source === '') return head;
  const before = escapeControls(source.slice(0, column - 1));
  return `${head}\n  ${escapeControls(source)}\n  ${' '.repeat(before.length)}^`;
}

const escapeControls = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const hex = (character.codePointAt(0) as number).toString(16);
    return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
  });
