import { compileDetectorRules, type Rules } from '@ringfence/detector';
import { type CompiledRule, type Diagnostic, lintRules } from '@ringfence/rules';
import type { AskedSources } from './sources.ts';
import type { TellProgress } from './test.ts';
import { witnessDiagnostics, witnessesOf } from './witness/report.ts';
import { tallyOf, type WitnessTally } from './witness/tally.ts';

export interface Checked {
  readonly files: number;
  /** Active rules. */
  readonly rules: number;
  readonly errors: number;
  readonly warnings: number;
  readonly witnesses: WitnessTally;
  /** By file and line. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface CheckOptions {
  /** Also warn of rules that are hard to understand when they raise an alert. @default false */
  readonly strict?: boolean;
  /** Called after each rule for which a witness was looked for. */
  readonly progress?: TellProgress;
}

/** Returns the diagnostics of the files that were asked for. The other sources only define names for them. */
export function checkRules(asking: AskedSources, { strict = false, progress }: CheckOptions = {}): Checked {
  const { sources, asked } = asking;
  const set: Rules = compileDetectorRules(sources, 'hunt');
  const order = new Map(sources.map(({ name }, index) => [name, index]));
  const obscure = strict ? set.rules.flatMap(obscurities) : [];
  const witnessed = witnessesOf(asking, undefined, progress);
  const loaded = [...set.diagnostics, ...lintRules(set)];
  const diagnostics = [...loaded, ...obscure, ...witnessDiagnostics(witnessed, loaded)]
    .filter(({ file }) => asked.has(file))
    .sort((a, b) => order.get(a.file)! - order.get(b.file)! || a.line - b.line || a.column - b.column);
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  return {
    files: asked.size,
    rules: set.rules.filter(({ file }) => asked.has(file)).length,
    errors,
    warnings: diagnostics.length - errors,
    witnesses: tallyOf(witnessed, set, asked),
    diagnostics,
  };
}

/** Minimum number of characters of a sentence. */
const SHORTEST_DESCRIPTION = 16;

/** Returns what an analyst misses in the alerts of a rule. */
function obscurities<E>(rule: CompiledRule<E>): Diagnostic[] {
  const { name, description, output, operands, tactics, techniques, file, line } = rule;
  const warning = (code: string, message: string, hint: string): Diagnostic => {
    return { file, line, column: 1, severity: 'warning', code, message, hint, item: name };
  };
  const found: Diagnostic[] = [];
  if (description.length < SHORTEST_DESCRIPTION || description === name || !/^\p{Lu}/u.test(description)) {
    const hint = 'Write a sentence: desc: A web server has started a shell.';
    found.push(warning('no-description', `rule '${name}' has no sentence in 'desc'`, hint));
  }
  if (!output.some((part) => typeof part !== 'string')) {
    const hint = 'Name a field that distinguishes alerts: output: "%process.command_line".';
    found.push(warning('plain-output', `the output of rule '${name}' shows no field of the event`, hint));
  }
  // Only another sensor knows which technique its rule finds.
  const passesOn = operands.some(({ field }) => field.name === 'rule.name');
  if (!passesOn && (tactics.length === 0 || techniques.length === 0)) {
    const missing = tactics.length === 0 ? 'tactic' : 'technique';
    const hint = 'Incidents and ringfence rules coverage use them: tags: [execution, T1059.004].';
    found.push(warning('untagged', `the tags of rule '${name}' name no ${missing} of ATT&CK`, hint));
  }
  return found;
}
