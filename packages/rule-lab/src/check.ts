import { compileDetectorRules, type Rules } from '@ringfence/detector';
import { type Diagnostic, lintRules } from '@ringfence/rules';
import type { AskedSources } from './sources.ts';

export interface Checked {
  readonly files: number;
  /** that are active */
  readonly rules: number;
  readonly errors: number;
  readonly warnings: number;
  /** by file and line */
  readonly diagnostics: readonly Diagnostic[];
}

/** What there is to say about the files that were asked for. The others are there for their names, and tell of themselves when they are asked. */
export function checkRules({ sources, asked }: AskedSources): Checked {
  const set: Rules = compileDetectorRules(sources, 'hunt');
  const order = new Map(sources.map(({ name }, index) => [name, index]));
  const diagnostics = [...set.diagnostics, ...lintRules(set)]
    .filter(({ file }) => asked.has(file))
    .sort((a, b) => order.get(a.file)! - order.get(b.file)! || a.line - b.line || a.column - b.column);
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  return {
    files: asked.size,
    rules: set.rules.filter(({ file }) => asked.has(file)).length,
    errors,
    warnings: diagnostics.length - errors,
    diagnostics,
  };
}
