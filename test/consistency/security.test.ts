import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const TEST_FILE = /[\w./-]+\.test\.(?:ts|yaml)/;

/** Returns the rows of the table whose first column has this heading: the cells of each. */
function rowsOf(path: string, heading: string): string[][] {
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  assert.notEqual(start, -1, `${path} has no table with the column ${heading}`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

/** Returns what a cell names in vain: `FILE` or `FILE: title`, and after a semicolon another one or another title. */
function missingOf(cell: string): string[] {
  let text: string | undefined;
  return cell.split('; ').flatMap((part) => {
    const file = TEST_FILE.exec(part)?.[0];
    if (file !== undefined) text = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined;
    const title = file === undefined ? part : (part.split(/`?: /, 2)[1] ?? '');
    return text?.includes(title) ? [] : [part];
  });
}

for (const [path, heading] of [
  ['SECURITY.md', 'attacker'],
  ['docs/SECURITY-REVIEW.md', 'finding'],
] as const) {
  test(`each row of ${path} names tests that exist`, () => {
    const rows = rowsOf(path, heading);
    assert.ok(rows.length > 10);
    assert.deepEqual(
      rows.flatMap((cells) => missingOf(cells.at(-1) ?? '')),
      [],
    );
  });
}
