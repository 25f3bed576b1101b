import { shortV18, type Tactic } from '@ringfence/rules';
import { type Coverage, type CoverageCell, rulesOf } from './coverage.ts';

export const ATTACK_VERSIONS = ['19', '18'] as const;
export type AttackVersion = (typeof ATTACK_VERSIONS)[number];

/**
 * Returns a layer for ATT&CK Navigator 4.9 and 5: one entry per technique and tactic that has rules, with their number
 * as its score. Version 18 uses the ids and tactics of ATT&CK v18.
 */
export function navigatorLayer(coverage: Coverage, version: AttackVersion): object {
  const entries = coverage.columns.flatMap(({ tactic, cells }) =>
    cells.flatMap((cell) =>
      [cell, ...cell.subs].filter((entry) => rulesOf(entry).length > 0).map((entry) => entryOf(entry, tactic, version)),
    ),
  );
  return {
    name: 'Ringfence',
    versions: { attack: version, navigator: version === '18' ? '4.9.1' : '5.1.0', layer: '4.5' },
    domain: 'enterprise-attack',
    description: `${coverage.rules} rules, ${coverage.covered} of ${coverage.techniques} techniques for Linux and containers`,
    filters: { platforms: ['Linux', 'Containers'] },
    sorting: 3,
    layout: { layout: 'side', showID: true, showName: true, countUnscored: false, expandedSubtechniques: 'annotated' },
    hideDisabled: false,
    techniques: entries,
    gradient: {
      colors: ['#cfe8ff', '#1261a0'],
      minValue: 1,
      maxValue: Math.max(2, ...entries.map(({ score }) => score)),
    },
    legendItems: [],
    showTacticRowBackground: false,
    selectTechniquesAcrossTactics: false,
    selectSubtechniquesWithParent: false,
  };
}

function entryOf(cell: CoverageCell, tactic: Tactic, version: AttackVersion) {
  const rules = rulesOf(cell);
  const { technique } = cell;
  const old = version === '18';
  return {
    techniqueID: old ? (technique.formerly[0] ?? technique.id) : technique.id,
    tactic: old ? shortV18(tactic) : tactic,
    score: rules.length,
    comment: rules.map(({ name }) => name).join('\n'),
    enabled: true,
    metadata: [],
    showSubtechniques: cell.subs.some((sub) => sub.rules.length > 0),
  };
}
