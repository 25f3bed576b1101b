import { Fault } from '../diagnostics/errors.ts';
import type { Context } from './context.ts';
import { detectFilter } from './detection/detect.ts';
import { find, type SigmaDocument, textsOf } from './documents.ts';
import type { SigmaFile } from './file.ts';
import type { Built } from './rule.ts';

/** A document that narrows other rules. */
export interface Filter {
  readonly file: SigmaFile;
  readonly document: SigmaDocument;
  /** Ids and names; undefined: every rule of its log source. */
  readonly rules: ReadonlySet<string> | undefined;
}

/** Returns undefined if the filter has errors, which were reported. */
export function readFilter(file: SigmaFile, document: SigmaDocument): Filter | undefined {
  const entry = find(document.body, 'rules');
  const rules = textsOf(document.body, 'rules').map(({ text }) => text.trim());
  if (rules.length === 0) {
    const at = entry?.at ?? document.body.at;
    file.report(
      'error',
      new Fault('missing-key', at, "the filter has no 'rules'", "Add 'rules:' with ids, or 'any'."),
      document.title,
    );
    return undefined;
  }
  const condition = find(document.body, 'condition')?.value;
  if (condition?.kind === 'text' && !/\bnot\b/i.test(condition.text)) {
    const message = 'this filter keeps only the events that it selects';
    const hint = "To exclude them, write 'condition: not …'.";
    file.report('warning', new Fault('filter', condition.at, message, hint), document.title);
  }
  return { file, document, rules: rules.includes('any') ? undefined : new Set(rules) };
}

export function applies({ rules, document: { source } }: Filter, rule: SigmaDocument): boolean {
  if (rules !== undefined) return rules.has(rule.id) || (rule.name !== '' && rules.has(rule.name));
  return (['product', 'category', 'service'] as const).every(
    (key) => source[key] === '' || source[key] === rule.source[key],
  );
}

/** Returns the rule with the filter's condition added; unchanged if the filter has errors, which were reported. */
export function refine<E>(rule: Built<E>, filter: Filter, context: Context<E>): Built<E> {
  const { file, document } = filter;
  let failed = false;
  const report = (severity: 'error' | 'warning', fault: Fault): void => {
    failed ||= severity === 'error';
    file.report(severity, fault, document.title);
  };
  try {
    const more = detectFilter(document, rule.source, context, report);
    return failed ? rule : { ...rule, detection: { kind: 'and', items: [rule.detection, more] } };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    report('error', error);
    return rule;
  }
}
