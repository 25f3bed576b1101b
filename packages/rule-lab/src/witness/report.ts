import { OperatorError } from '@ringfence/base';
import type { CompiledRule, Diagnostic } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import { stringify } from 'yaml';
import { Judge } from '../events/judge.ts';
import { whyNoRule } from '../no-rule.ts';
import type { AskedSources } from '../sources.ts';
import type { TellProgress } from '../test.ts';
import { type Witness, Witnesses } from './witness.ts';

/** A rule and its witness, or why it has none. */
export interface WitnessedRule {
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly witness: Witness;
}

/** Diagnostics that say why a rule, or a part of it, can't match. */
const EXPLAINS: ReadonlySet<string> = new Set(['never', 'never-available', 'unknown-value', 'unavailable']);
const MAX_WIDTH = 100;

/**
 * Returns witnesses of the rules of the given name, or of all active rules in the files that were asked for.
 * @throws OperatorError if no active rule has the name
 */
export function witnessesOf(
  { sources, asked }: AskedSources,
  name: string | undefined,
  progress: TellProgress = () => {},
): readonly WitnessedRule[] {
  const judge = new Judge(sources);
  const { rules, diagnostics } = judge.rules;
  const wanted = rules.filter((rule) => (name === undefined ? asked.has(rule.file) : rule.name === name));
  if (name !== undefined && wanted.length === 0) throw new OperatorError(whyNoRule(judge.rules, name));
  const witnesses = new Witnesses(judge);
  return wanted.map((rule, done) => {
    const witnessed = { rule: rule.name, file: rule.file, line: rule.line };
    const witness = explained(witnesses.of(rule), rule, diagnostics);
    progress(done + 1, wanted.length);
    return { ...witnessed, witness };
  });
}

/** A rule that loading has found to match nothing needs no other reason. */
function explained(witness: Witness, { name }: CompiledRule<EventView>, diagnostics: readonly Diagnostic[]): Witness {
  if (witness.kind !== 'none' || witness.reasons.length > 0) return witness;
  const reasons = diagnostics
    .filter(({ item, code }) => item === name && EXPLAINS.has(code))
    .map(({ message }) => message);
  return { kind: 'none', reasons: reasons.length > 0 ? reasons : ['no kind of event has all its fields'] };
}

/** Formats witnesses as tables of tests, which `ringfence rules test` plays. */
export function witnessTests(witnessed: readonly WitnessedRule[]): string {
  const tables = witnessed.flatMap(({ rule, witness }) =>
    witness.kind === 'witness' ? [{ rule, tests: [{ test: 'witness', events: witness.events, expect: 'alert' }] }] : [],
  );
  return tables.length === 0 ? '' : stringify(tables.length === 1 ? tables[0] : tables, { lineWidth: MAX_WIDTH });
}

/** Returns warnings of rules for which there is no witness, unless loading has given the reason. */
export function witnessDiagnostics(
  witnessed: readonly WitnessedRule[],
  known: readonly Diagnostic[],
): readonly Diagnostic[] {
  const explained = new Set(known.filter(({ code }) => EXPLAINS.has(code)).map(({ item }) => item));
  return witnessed.flatMap(({ rule, file, line, witness }): Diagnostic[] => {
    if (witness.kind !== 'none' || explained.has(rule)) return [];
    const message = `no event makes rule '${rule}' match: ${witness.reasons.join('; ')}`;
    const hint = 'Change one of the parts, or switch the rule off.';
    return [{ file, line, column: 1, severity: 'warning', code: 'no-witness', message, hint, item: rule }];
  });
}
