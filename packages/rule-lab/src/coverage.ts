import {
  attackTechnique,
  attackTechniques,
  type CompiledRule,
  TACTICS,
  type Tactic,
  type Technique,
} from '@ringfence/rules';

/** What is said of a rule. */
export interface CoveringRule {
  readonly name: string;
  readonly description: string;
  readonly priority: string;
  readonly file: string;
  readonly line: number;
}

export interface CoverageCell {
  readonly technique: Technique;
  /** that name it itself */
  readonly rules: readonly CoveringRule[];
  /** of a technique: its sub-techniques */
  readonly subs: readonly CoverageCell[];
}

export interface CoverageColumn {
  readonly tactic: Tactic;
  readonly cells: readonly CoverageCell[];
}

export interface Coverage {
  readonly rules: number;
  /** The ATT&CK matrix for Linux and containers, and what rules name beside it. Tactics in which there is nothing are left out. */
  readonly columns: readonly CoverageColumn[];
  /** Techniques (not their sub-techniques) that have a rule, their own or of a sub-technique, and that there are; each once. */
  readonly covered: number;
  readonly techniques: number;
  /** rules that name no technique which ATT&CK has */
  readonly untagged: readonly CoveringRule[];
}

/** Which techniques the rules say that they find. A rule counts in those of its tactics that a technique serves; where it names none of them, in all. */
export function coverageOf(rules: readonly CompiledRule<never>[]): Coverage {
  const named = new Map<string, CompiledRule<never>[]>();
  for (const rule of rules)
    for (const id of new Set(rule.techniques.map((one) => attackTechnique(one)?.id).filter((one) => one !== undefined)))
      named.set(id, [...(named.get(id) ?? []), rule]);
  const all = [...attackTechniques().values()];
  const cellOf = (technique: Technique, tactic: Tactic): CoverageCell => ({
    technique,
    rules: (named.get(technique.id) ?? []).filter((rule) => countsIn(rule, technique, tactic)).map(saidOf),
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
    untagged: rules.filter((rule) => !rule.techniques.some((id) => attackTechnique(id) !== undefined)).map(saidOf),
  };
}

/** Those of a cell and its sub-techniques, each once. */
export function rulesOf(cell: CoverageCell): readonly CoveringRule[] {
  const all = [cell, ...cell.subs].flatMap(({ rules }) => rules);
  return [...new Map(all.map((rule) => [rule.name, rule])).values()];
}

const isHere = ({ linux, containers }: Technique): boolean => linux || containers;

function countsIn(rule: CompiledRule<never>, { tactics }: Technique, tactic: Tactic): boolean {
  return rule.tactics.includes(tactic) || !tactics.some((one) => rule.tactics.includes(one));
}

function saidOf({ name, description, priority, file, line }: CompiledRule<never>): CoveringRule {
  return { name, description, priority, file, line };
}
