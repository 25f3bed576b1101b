import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FileReport } from '../../tools/test-runner/run-file.ts';
import { runFiles } from './lib/run-files.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-run-files-'));
after(() => rmSync(root, { recursive: true }));

const IMPORTS = `import { describe, test } from 'node:test'; globalThis.inOrder ??= [];`;
const FILES = {
  'first.test.mjs': `globalThis.inOrder.push('first'); describe('of it', () => { test('passes', () => console.log('said')); test('is left out', { skip: 'why' }, () => {}); });`,
  'fails.test.mjs': `test('sees every file read', () => { if (globalThis.inOrder[0] !== 'first') throw new Error('alone'); }); test('fails', () => { throw new Error('on purpose'); });`,
  'empty.test.mjs': '',
  'throws.test.mjs': `throw new Error('while it is read');`,
  'hangs.test.mjs': `test('hangs', () => new Promise(() => setInterval(() => {}, 1000)));`,
  'leaves.test.mjs': `test('leaves', () => process.exit(3));`,
  'last.test.mjs': `test('passes', () => {});`,
};

test('files run in one process, each has its report; one that hangs, leaves or cannot be read is told of, and the others go on', async () => {
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(root, name), `${IMPORTS}${text}\n`);
  const reports: FileReport[] = [];
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const onReport = (report: FileReport): void => void reports.push(report);
  await runFiles(Object.keys(FILES), { root, timeoutMs: 5_000, env, onReport });
  const told = reports.map(({ path, passed, failures, skipped }) => [
    path.replace('.test.mjs', ''),
    passed,
    skipped.map(({ reason }) => reason).join(),
    failures.map(({ title, error }) => `${title}: ${error.split('\n')[0]}`).join(),
  ]);
  assert.deepEqual(told, [
    ['first', 1, 'why', ''],
    ['fails', 1, '', 'fails: Error: on purpose'],
    ['empty', 0, '', 'the file itself: it registered no test'],
    ['throws', 0, '', 'the file itself: Error: while it is read'],
    ['hangs', 0, '', "the file itself: killed after 5 s: something in it doesn't end"],
    ['leaves', 0, '', 'the file itself: the process ended by 3'],
    ['last', 1, '', ''],
  ]);
  assert.deepEqual([reports[0]?.output, reports[1]?.output], ['said\n', '']);
});
