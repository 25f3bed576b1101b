import type { Paint } from '@ringfence/base';
import { type Diagnostic, type RuleSource, render } from '@ringfence/rules';
import { escapeText } from '@ringfence/schema';

/** Diagnostics as people read them, with an empty line between: where, what, the source line, a caret, the hint. */
export function diagnosticsText(
  diagnostics: readonly Diagnostic[],
  sources: readonly RuleSource[],
  paint: Paint,
): string {
  const texts = new Map(sources.map(({ name, text }) => [name, text]));
  return diagnostics.map((one) => painted(one, render(one, texts.get(one.file) ?? ''), paint)).join('\n\n');
}

function painted({ severity }: Diagnostic, text: string, paint: Paint): string {
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

/** That rules with errors have no part in what is shown, if there are some. @param asked names of the files that it is about */
export function leftOutText(diagnostics: readonly Diagnostic[], asked: ReadonlySet<string>): string {
  const wrong = diagnostics.filter(({ severity, file }) => severity === 'error' && asked.has(file));
  const files = [...new Set(wrong.map(({ file }) => escapeText(file)))];
  return files.length === 0 ? '' : `left out are rules with errors: see ringfence rules check ${files.join(' ')}\n`;
}
