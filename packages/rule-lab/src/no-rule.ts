import { didYouMean, type RuleSet } from '@ringfence/rules';

/** Returns the reason why no active rule has the name. */
export function whyNoRule<E>({ rules, switchedOff, diagnostics }: RuleSet<E>, name: string): string {
  if (switchedOff.some((rule) => rule.name === name)) return `the rule '${name}' is switched off`;
  const error = diagnostics.find(({ severity, item }) => severity === 'error' && item === name);
  if (error === undefined) {
    const names = rules.map((rule) => rule.name);
    return `there is no rule '${name}'. ${didYouMean(name, names, 'ringfence rules check names those with errors.')}`;
  }
  const { file, line, column, message, hint } = error;
  return `the rule '${name}' has an error: ${file}:${line}:${column}: ${message}. ${hint}`.trimEnd();
}
