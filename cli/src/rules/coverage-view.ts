import type { Paint } from '@ringfence/base';
import { type Coverage, type CoverageCell, type CoverageColumn, rulesOf } from '@ringfence/rule-lab';
import { ATTACK_VERSION, TACTIC_NAMES } from '@ringfence/rules';
import { escapeText } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';

/** Number of rules from which a square is full. */
const FULL = 3;

/**
 * Formats the matrix with one line per tactic and one square per technique, which shows how many rules detect it.
 * `details`: also list the techniques that have rules, or those that have none.
 */
export function coverageText(coverage: Coverage, details: 'none' | 'covered' | 'gaps', paint: Paint): string {
  const { rules, covered, techniques, columns, untagged } = coverage;
  const percent = techniques === 0 ? 0 : Math.round((100 * covered) / techniques);
  const lines = [
    paint.bold(
      `ATT&CK v${ATTACK_VERSION}, Linux and containers: ${counted(rules, 'rule')}, ${covered} of ${techniques} techniques (${percent} %)`,
    ),
    '',
    ...columns.flatMap((column) => [columnLine(column, paint), ...detailLines(column, details, paint)]),
    '',
    paint.dim(`■ ${FULL} rules or more  ▪ 1 or 2  · none`),
  ];
  if (untagged.length > 0)
    lines.push(paint.yellow(`Without a technique: ${untagged.map(({ name }) => escapeText(name)).join(', ')}`));
  return lines.join('\n');
}

function columnLine({ tactic, cells }: CoverageColumn, paint: Paint): string {
  const coveredCount = cells.filter((cell) => rulesOf(cell).length > 0).length;
  const fraction = `${coveredCount} of ${cells.length}`.padStart(8);
  const { v19, v18 } = TACTIC_NAMES[tactic];
  const squares = cells.map((cell) => square(cell, paint)).join('');
  const formerName = v18 === v19 ? '' : paint.dim(`  (v18: ${v18})`);
  return `${paint.bold(v19.padEnd(21))} ${fraction}  ${squares}${formerName}`;
}

function square(cell: CoverageCell, paint: Paint): string {
  const count = rulesOf(cell).length;
  if (count === 0) return paint.dim('·');
  return count >= FULL ? paint.green('■') : paint.cyan('▪');
}

function detailLines(column: CoverageColumn, details: 'none' | 'covered' | 'gaps', paint: Paint): string[] {
  if (details === 'none') return [];
  const shown = column.cells
    .flatMap((cell) => [cell, ...cell.subs])
    .filter((cell) => {
      const count = rulesOf(cell).length;
      return details === 'covered' ? count > 0 : count === 0;
    });
  return [...shown.map((cell) => detailLine(cell, paint)), ''];
}

function detailLine(cell: CoverageCell, paint: Paint): string {
  const { id, name } = cell.technique;
  const names = cell.rules.map((rule) => escapeText(rule.name)).join(', ');
  const rules = names === '' ? '' : `  ${paint.dim(names)}`;
  return `  ${id.includes('.') ? '  ' : ''}${id.padEnd(id.includes('.') ? 9 : 11)} ${name}${rules}`;
}
