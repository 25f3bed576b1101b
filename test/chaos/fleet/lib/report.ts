import type { Outcome } from './case.ts';

const SHOWN = 5;

/** One line a case: what was produced and what became of it. */
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

/** Each kind of thing, and what is wrong. */
export function detailLines({ account, ended }: Outcome): string[] {
  const rows = account.rows.map(({ what, produced, stored, lost, doubled }) => {
    const wrong = [
      ...(lost.length > 0 ? [`lost ${lost.slice(0, SHOWN).join(', ')}`] : []),
      ...(doubled.length > 0 ? [`doubled ${doubled.slice(0, SHOWN).join(', ')}`] : []),
    ];
    return `  ${what.padEnd(20)} ${produced} → ${stored}; ${lost.length} lost, ${doubled.length} doubled ${wrong.join('; ')}`;
  });
  const aside = account.setAside > 0 ? [`  ${account.setAside} set aside as dead letters, and in the trail`] : [];
  return [
    ...rows,
    ...aside,
    ...account.problems.slice(0, SHOWN).map((text) => `  ${text}`),
    ...ended.map((name) => `  ${name} ended by itself`),
  ];
}
