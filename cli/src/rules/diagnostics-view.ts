import type { Paint } from '@ringfence/base';
import { type Diagnostic, type RuleSource, render } from '@ringfence/rules';
import { escapeText } from '@ringfence/wire';

/** Formats each diagnostic with its place, message, source line, caret and hint, separated by empty lines. */
export function diagnosticsText(
  diagnostics: readonly Diagnostic[],
  sources: readonly RuleSource[],
  paint: Paint,
): string {
  const texts = new Map(sources.map(({ name, text }) => [name, text]));
  return diagnostics
    .map((diagnostic) => paintDiagnostic(diagnostic, render(diagnostic, texts.get(diagnostic.file) ?? ''), paint))
    .join('\n\n');
}

function paintDiagnostic({ severity }: Diagnostic, text: string, paint: Paint): string {
  const [first = '', ...rest] = text.split('\n');
  const word = `${severity}:`;
  const coloured = severity === 'error' ? paint.red(word) : paint.yellow(word);
  return [
    paint.bold(first.replace(word, () => coloured)),
    ...rest.map((line) =>
      /^ +\| +\^$/.test(line) ? paint.cyan(line) : line.startsWith('  hint:') ? paint.green(line) : line,
    ),
  ].join('\n');
}

/**
 * Returns a note that rules with errors are skipped, or an empty text if there are none. `asked`: names of the files.
 */
export function skippedRulesText(diagnostics: readonly Diagnostic[], asked: ReadonlySet<string>): string {
  const errors = diagnostics.filter(({ severity, file }) => severity === 'error' && asked.has(file));
  const files = [...new Set(errors.map(({ file }) => escapeText(file)))];
  return files.length === 0 ? '' : `rules with errors are skipped: see ringfence rules check ${files.join(' ')}\n`;
}
