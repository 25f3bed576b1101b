import type { Outcome } from './case.ts';

const MAX_SHOWN = 5;

/** Returns the line of a case in the table, with the sums of its account. */
export function tableLine({ name, account, recovery, failed }: Outcome): string {
  const sum = (of: (row: (typeof account.rows)[number]) => number): number =>
    account.rows.reduce((total, row) => total + of(row), 0);
  const cells = [
    name.padEnd(22),
    sum(({ produced }) => produced),
    sum(({ stored }) => stored),
    sum(({ lost }) => lost.length),
    sum(({ doubled }) => doubled.length),
    account.redelivered,
    recovery === null ? 'never' : `${recovery.toFixed(1)} s`,
    failed ? 'FAILED' : 'ok',
  ];
  return cells.map((cell, i) => (i === 0 ? cell : String(cell).padStart(WIDTHS[i - 1] ?? 10))).join(' ');
}

const WIDTHS = [9, 9, 6, 8, 12, 10, 7];
export const TABLE_HEAD: string = [
  'case'.padEnd(22),
  ...['produced', 'stored', 'lost', 'doubled', 'redelivered', 'recovery', ''].map((cell, i) =>
    cell.padStart(WIDTHS[i] ?? 10),
  ),
].join(' ');

/** Returns a line for each row of the account and for each problem. */
export function detailLines({ account, ended }: Outcome): string[] {
  const rows = account.rows.map(({ label, produced, stored, lost, doubled }) => {
    const problems = [
      ...(lost.length > 0 ? [`lost ${lost.slice(0, MAX_SHOWN).join(', ')}`] : []),
      ...(doubled.length > 0 ? [`doubled ${doubled.slice(0, MAX_SHOWN).join(', ')}`] : []),
    ];
    return `  ${label.padEnd(20)} ${produced} → ${stored}; ${lost.length} lost, ${doubled.length} doubled ${problems.join('; ')}`;
  });
  const setAside = account.setAside > 0 ? [`  ${account.setAside} alerts were dead-lettered and are in the trail`] : [];
  return [
    ...rows,
    ...setAside,
    ...account.problems.slice(0, MAX_SHOWN).map((text) => `  ${text}`),
    ...ended.map((name) => `  ${name} exited without being stopped`),
  ];
}
