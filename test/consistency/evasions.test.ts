import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const ROWS = 30;

interface Row {
  readonly number: number;
  readonly outcome: string;
  readonly test: string;
}

function rows(): Row[] {
  const [, table = ''] = readFileSync(join(root, 'bpf/README.md'), 'utf8').split('\n## Evasions\n');
  return [...table.matchAll(/^\| (\d+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, number, outcome = '', test = '']) => ({ number: Number(number), outcome, test }),
  );
}

/** Returns why a row's test does not exist, or undefined. A row without a test has its reason there. */
function problem({ number, test }: Row): string | undefined {
  if (/^none: \S/.test(test)) return undefined;
  const [, file = '', title] = /^`([^`]+)`(?:: (.+))?$/.exec(test) ?? [];
  const path = file.startsWith('sensor/') ? `test/kernel/${file}.test.ts` : file;
  if (file === '' || !existsSync(join(root, path))) return `${number}: no file ${path}`;
  if (title === undefined || readFileSync(join(root, path), 'utf8').includes(title)) return undefined;
  return `${number}: ${path} has no test "${title}"`;
}

test('each evasion in bpf/README.md has an outcome and an existing test', () => {
  const found = rows();
  assert.deepEqual(
    found.map(({ number }) => number),
    Array.from({ length: ROWS }, (_, index) => index + 1),
  );
  assert.deepEqual(
    found.filter(({ outcome }) => outcome.trim() === ''),
    [],
  );
  assert.deepEqual(
    found.flatMap((row) => problem(row) ?? []),
    [],
  );
});
