import { attackTechnique, TACTICS, type Tactic } from '@ringfence/rules';
import { isMiss, type Score, type Share, scoreOf, type Verdict } from './score.ts';

const HEADS = ['recommended', 'with hunt', 'right technique', 'silent'] as const;

/** Returns the tactic under which a technique stands: the first one of an attack. */
export function tacticOf(technique: string): Tactic {
  return attackTechnique(technique)?.tactics[0] ?? 'execution';
}

/** Returns `found / of (percent)`. */
export function shareText({ found, of }: Share): string {
  return of === 0 ? '–' : `${found} / ${of} (${((found * 100) / of).toFixed(0)} %)`;
}

export const sharesOf = ({ recommended, hunt, technique, silent }: Score): readonly Share[] => [
  ...[recommended, hunt, technique, silent],
];

/** Returns the shares by tactic and in total, as lines for a terminal. */
export function scoreLines(title: string, verdicts: readonly Verdict[]): string[] {
  const rows = [...byTactic(verdicts), ['all', verdicts] as const].map(([name, some]) => [
    name,
    ...sharesOf(scoreOf(some)).map(shareText),
  ]);
  const row = ([name = '', ...cells]: readonly string[]): string =>
    `${name.padEnd(22)}${cells.map((cell) => cell.padStart(20)).join('')}`.trimEnd();
  return [`${title}: ${verdicts.length} procedures`, row(['', ...HEADS]), ...rows.map(row), ''];
}

/** Returns the procedures of each tactic, in the order of an attack. */
export function byTactic(verdicts: readonly Verdict[]): [Tactic, Verdict[]][] {
  const groups = Map.groupBy(verdicts, ({ procedure }) => tacticOf(procedure.technique));
  return TACTICS.flatMap((tactic) => {
    const some = groups.get(tactic);
    return some === undefined ? [] : [[tactic, some]];
  });
}

/** Returns a line for each miss that may be looked at, those that should be recommended first. */
export function missLines(verdicts: readonly Verdict[]): string[] {
  const misses = verdicts.filter((verdict) => verdict.procedure.part !== 'held-out' && isMiss(verdict));
  return misses
    .toSorted((a, b) => rank(a) - rank(b) || a.procedure.technique.localeCompare(b.procedure.technique))
    .map((verdict) => `${verdict.procedure.technique.padEnd(10)}${verdict.procedure.name}: ${missOf(verdict)}`);
}

/** Returns what a procedure should have raised, and what it raised. */
export function missOf({ procedure: { expect }, recommended, hunt }: Verdict): string {
  const raised = [...recommended, ...hunt.map((name) => `${name} (hunt)`)].join('; ') || 'nothing';
  return `${expect} expected, ${raised} raised`;
}

const rank = ({ procedure, recommended, hunt }: Verdict): number =>
  (procedure.expect === 'recommended' ? 0 : procedure.expect === 'hunt' ? 2 : 4) +
  Math.min(recommended.length + hunt.length, 1);
