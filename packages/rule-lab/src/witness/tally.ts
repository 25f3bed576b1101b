import type { Diagnostic, RuleSet } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import type { WitnessedRule } from './report.ts';

/** Why no event makes a rule match. */
export type Cause =
  /** Two parts of the rule exclude each other. */
  | 'contradiction'
  /** It needs a source that Ringfence does not read. */
  | 'source'
  /** The kernel has no such event or value. */
  | 'kernel';

/** A rule without a witness. */
export interface Unmatched {
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  /** Undefined: the search has not decided whether there is a witness. */
  readonly cause: Cause | undefined;
  readonly reasons: readonly string[];
}

/** How many rules have a witness, and why the others have none. */
export interface WitnessTally {
  readonly found: number;
  readonly none: readonly Unmatched[];
  readonly undecided: readonly Unmatched[];
}

/** Diagnostics that name a source which is not read here. */
const NOT_READ: ReadonlySet<string> = new Set(['never', 'never-available', 'unavailable']);

/** Counts witnesses. Rules that loading left out, because no event belongs to their source, have none. */
export function tallyOf(
  witnessed: readonly WitnessedRule[],
  { rules, switchedOff, diagnostics }: RuleSet<EventView>,
  asked: ReadonlySet<string>,
): WitnessTally {
  const known = new Set([...rules, ...switchedOff].map(({ name }) => name));
  const broken = new Set(diagnostics.filter(({ severity }) => severity === 'error').map(({ item }) => item));
  const leftOut = diagnostics.filter(
    ({ code, item, file }) => code === 'never' && asked.has(file) && !known.has(item) && !broken.has(item),
  );
  const notRead = new Set(diagnostics.filter(({ code }) => NOT_READ.has(code)).map(({ message }) => message));
  const without = (kind: 'none' | 'undecided'): Unmatched[] =>
    witnessed.flatMap(({ witness, ...rule }) => {
      if (witness.kind !== kind) return [];
      const cause = kind === 'none' ? causeOf(witness.reasons, notRead) : undefined;
      return [{ ...rule, cause, reasons: witness.reasons }];
    });
  return {
    found: witnessed.filter(({ witness }) => witness.kind === 'witness').length,
    none: [...leftOut.map(ofLeftOut), ...without('none')],
    undecided: without('undecided'),
  };
}

const ofLeftOut = ({ item, file, line, message }: Diagnostic): Unmatched => ({
  rule: item,
  file,
  line,
  cause: 'source',
  reasons: [message],
});

function causeOf(reasons: readonly string[], notRead: ReadonlySet<string>): Cause {
  if (reasons.some((reason) => notRead.has(reason) && !/both at once/.test(reason))) return 'source';
  return reasons.some((reason) => /contradicts|both at once/.test(reason)) ? 'contradiction' : 'kernel';
}
