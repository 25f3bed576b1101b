import {
  attackTechnique,
  attackTechniques,
  type CompiledRule,
  TACTICS,
  type Tactic,
  type Technique,
} from '@ringfence/rules';

/** A rule that covers a technique. */
export interface CoveringRule {
  readonly name: string;
  readonly description: string;
  readonly priority: string;
  readonly file: string;
  readonly line: number;
}

export interface CoverageCell {
  readonly technique: Technique;
  /** Rules that name this technique itself. */
  readonly rules: readonly CoveringRule[];
  /** Sub-techniques. */
  readonly subs: readonly CoverageCell[];
}

export interface CoverageColumn {
  readonly tactic: Tactic;
  readonly cells: readonly CoverageCell[];
}

export interface Coverage {
  readonly rules: number;
  /** ATT&CK matrix for Linux and containers, with other techniques that rules name. Empty tactics are omitted. */
  readonly columns: readonly CoverageColumn[];
  /** Number of distinct techniques (without sub-techniques) that have a rule, directly or through a sub-technique. */
  readonly covered: number;
  readonly techniques: number;
  /** Rules that name no technique of ATT&CK. */
  readonly untagged: readonly CoveringRule[];
}

/**
 * Returns the techniques that rules name. A rule counts in those of its tactics that a technique serves, or in all
 * tactics of the technique if the rule names none of them.
 */
export function coverageOf(rules: readonly CompiledRule<never>[]): Coverage {
  const named = new Map<string, CompiledRule<never>[]>();
  for (const rule of rules)
    for (const id of new Set(rule.techniques.map((name) => attackTechnique(name)?.id).filter((id) => id !== undefined)))
      named.set(id, [...(named.get(id) ?? []), rule]);
  const all = [...attackTechniques().values()];
  const cellOf = (technique: Technique, tactic: Tactic): CoverageCell => ({
    technique,
    rules: (named.get(technique.id) ?? []).filter((rule) => countsIn(rule, technique, tactic)).map(summaryOf),
    subs: all
      .filter(({ id }) => id.startsWith(`${technique.id}.`) && !technique.id.includes('.'))
      .filter((sub) => isHere(sub) || named.has(sub.id))
      .map((sub) => cellOf(sub, tactic)),
  });
  const columns = TACTICS.map((tactic) => ({
    tactic,
    cells: all
      .filter(({ id, tactics }) => !id.includes('.') && tactics.includes(tactic))
      .map((technique) => cellOf(technique, tactic))
      .filter((cell) => isHere(cell.technique) || cell.subs.length > 0 || cell.rules.length > 0),
  })).filter(({ cells }) => cells.length > 0);
  const cells = columns.flatMap((column) => column.cells);
  const idsOf = (some: readonly CoverageCell[]): number => new Set(some.map(({ technique }) => technique.id)).size;
  return {
    rules: rules.length,
    columns,
    covered: idsOf(cells.filter((cell) => rulesOf(cell).length > 0)),
    techniques: idsOf(cells),
    untagged: rules.filter((rule) => !rule.techniques.some((id) => attackTechnique(id) !== undefined)).map(summaryOf),
  };
}

/** Returns the distinct rules of a cell and its sub-techniques. */
export function rulesOf(cell: CoverageCell): readonly CoveringRule[] {
  const all = [cell, ...cell.subs].flatMap(({ rules }) => rules);
  return [...new Map(all.map((rule) => [rule.name, rule])).values()];
}

const isHere = ({ linux, containers }: Technique): boolean => linux || containers;

function countsIn(rule: CompiledRule<never>, { tactics }: Technique, tactic: Tactic): boolean {
  return rule.tactics.includes(tactic) || !tactics.some((served) => rule.tactics.includes(served));
}

function summaryOf({ name, description, priority, file, line }: CompiledRule<never>): CoveringRule {
  return { name, description, priority, file, line };
}
