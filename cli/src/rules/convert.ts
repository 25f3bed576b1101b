import { compileDetectorRules } from '@ringfence/detector';
import { type CompiledRule, type Diagnostic, isSameCondition, type RuleSource, writeRules } from '@ringfence/rules';

export interface Converted {
  /** a native rule file */
  readonly text: string;
  readonly rules: readonly string[];
  /** what was found in the sources; rules with errors are left out */
  readonly diagnostics: readonly Diagnostic[];
}

/** Rules of any language as native ones. Throws when what was written doesn't mean the same: that would be a bug. */
export function convertRules(sources: readonly RuleSource[]): Converted {
  const set = compileDetectorRules(sources, 'hunt');
  const text = writeRules(set.rules);
  const again = compileDetectorRules([{ name: 'converted', text }], 'hunt');
  const broken = again.diagnostics.find(({ severity }) => severity === 'error');
  if (broken !== undefined || again.rules.length !== set.rules.length)
    throw new Error(`line ${broken?.line} of the converted rules can't be read: ${broken?.message}`);
  const other = set.rules.find((rule, i) => !isSame(rule, again.rules[i]!));
  if (other !== undefined) throw new Error(`the converted rule '${other.name}' has another condition`);
  return { text, rules: set.rules.map(({ name }) => name), diagnostics: set.diagnostics };
}

function isSame<E>(a: CompiledRule<E>, b: CompiledRule<E>): boolean {
  const [parts, others] = [a, b].map(({ sequence, expression }) => sequence?.steps ?? [{ expression }]);
  return parts!.every(
    ({ expression }, i) => others![i] !== undefined && isSameCondition(expression, others![i].expression),
  );
}
