/** `error`: the item at this position is not active. `warning`: the item is active, but may not do what was meant. */
export type Severity = 'error' | 'warning';

/** A message for the author of a rule. */
export interface Diagnostic {
  /** Name of the source, as given. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  readonly severity: Severity;
  /** Stable code, such as `unknown-field`. */
  readonly code: string;
  readonly message: string;
  /** What to do about it; empty: no hint. */
  readonly hint: string;
  /** The rule, macro or list that it concerns; empty: the file. */
  readonly item: string;
}

const SHOWN_WIDTH = 120;

/**
 * Formats a diagnostic for people: position, message, source line, caret, hint. `text` is the source. Control
 * characters of the source are shown as `·`, so no escape sequence reaches a terminal.
 */
export function render(diagnostic: Diagnostic, text: string): string {
  const { file, line, column, severity, message, hint } = diagnostic;
  const out = [`${printable(file)}:${line}:${column}: ${severity}: ${printable(message)}`];
  const source = lineOf(text, line);
  if (source !== undefined) out.push(...excerpt(source, line, column));
  if (hint !== '') out.push(`  hint: ${printable(hint)}`);
  return out.join('\n');
}

function excerpt(source: string, line: number, column: number): string[] {
  const from = column > SHOWN_WIDTH ? column - 1 - SHOWN_WIDTH / 2 : 0;
  const shown = printable(source.slice(from, from + SHOWN_WIDTH));
  const gutter = `  ${line} | `;
  const caret = Math.min(column - 1 - from, shown.length);
  return [`${gutter}${shown}`, `${' '.repeat(gutter.length - 2)}| ${' '.repeat(Math.max(0, caret))}^`];
}

function lineOf(text: string, line: number): string | undefined {
  let start = 0;
  for (let n = 1; n < line; n++) {
    const end = text.indexOf('\n', start);
    if (end === -1) return undefined;
    start = end + 1;
  }
  const end = text.indexOf('\n', start);
  const whole = text.slice(start, end === -1 ? undefined : end);
  return whole.endsWith('\r') ? whole.slice(0, -1) : whole;
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '·');
}

/** Returns the nearest of `known` to `word`, if it is near enough to be a typing error. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const budget = Math.max(1, Math.min(3, Math.floor(word.length / 3)));
  const written = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = budget + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(written, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Returns "Did you mean 'x'?", or `otherwise` if no name is near. */
export function didYouMean(word: string, known: Iterable<string>, otherwise = ''): string {
  const near = nearest(word.slice(0, 64), known);
  return near === undefined ? otherwise : `Did you mean '${near}'?`;
}

/** Returns the shortest of `known` that has all words of `name`: `process.session.id` for `session_id`. */
export function withWordsOf(name: string, known: Iterable<string>): string | undefined {
  const words = wordsOf(name.slice(0, 64));
  let best: string | undefined;
  for (const candidate of known) {
    if (best !== undefined && candidate.length >= best.length) continue;
    const has = new Set(wordsOf(candidate));
    if (words.every((word) => has.has(word))) best = candidate;
  }
  return best;
}

const wordsOf = (name: string): string[] => name.toLowerCase().split(/[._]/);

/** Computes the restricted Damerau–Levenshtein distance: a swap of neighbours counts as one edit. Stops at `enough`. */
function editDistance(a: string, b: string, enough: number): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
      least = Math.min(least, cost);
    }
    // Later rows are at least this, or one more than the row above if two characters are swapped.
    if (least >= enough && Math.min(...above) + 1 >= enough) return enough;
    before = above;
    above = row;
  }
  return above[b.length]!;
}
