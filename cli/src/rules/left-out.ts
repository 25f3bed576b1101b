import type { Diagnostic } from '@ringfence/rules';
import { escapeText } from '@ringfence/wire';

/** That rules with errors have no part in what is shown, if there are some. @param asked names of the files that it is about */
export function leftOutText(diagnostics: readonly Diagnostic[], asked: ReadonlySet<string>): string {
  const wrong = diagnostics.filter(({ severity, file }) => severity === 'error' && asked.has(file));
  const files = [...new Set(wrong.map(({ file }) => escapeText(file)))];
  return files.length === 0 ? '' : `left out are rules with errors: see ringfence rules check ${files.join(' ')}\n`;
}
