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
 * Returns `file:line:column: message`, then the line and a caret under the mistake. Control characters are escaped, so
 * that a file can't command the terminal.
 */
export function renderProblem({ file, line, column, message, source }: FileProblem): string {
  const head = escapeControls(`${file}:${line}:${column}: ${message}`);
  if (source === '') return head;
  const before = escapeControls(source.slice(0, column - 1));
  return `${head}\n  ${escapeControls(source)}\n  ${' '.repeat(before.length)}^`;
}

const escapeControls = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
