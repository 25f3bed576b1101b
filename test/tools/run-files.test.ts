import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FileReport } from '../../tools/test-runner/file-report.ts';
import { runFiles } from '../../tools/test-runner/run-files.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-run-files-'));
after(() => rmSync(root, { recursive: true }));

const IMPORTS = `import { after, describe, test } from 'node:test'; globalThis.inOrder ??= [];`;
const FILES = {
  'first.test.mjs': `globalThis.inOrder.push('first'); describe('of it', () => { test('passes', () => console.log('said'.repeat(9_000))); test('is left out', { skip: 'why' }, () => {}); });`,
  'fails.test.mjs': `console.log('as it is read'); test('prints', () => console.error('before it fails')); test('sees every file read', () => { if (globalThis.inOrder[0] !== 'first') throw new Error('alone'); }); test('fails', () => { throw new Error('on purpose'); });`,
  'empty.test.mjs': '',
  'throws.test.mjs': `throw new Error('while it is read');`,
  'exits.test.mjs': `console.log('and goes'); process.exit(0);`,
  'waits.test.mjs': 'setInterval(() => {}, 1000); await new Promise(() => {});',
  'hangs.test.mjs': `test('hangs', () => new Promise(() => setInterval(() => {}, 1000)));`,
  'passes.test.mjs': `test('passes', () => {});`,
  'leaves.test.mjs': `test('leaves', () => process.exit(3));`,
  'last.test.mjs': `after(() => { throw new Error('in the end'); }); test('passes', () => console.log('at last'));`,
};

test('files run in one process, each has its report; one that hangs, leaves or cannot be read is told of, and no other', async () => {
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
    // what ends the process while the files are read comes before all that are run
    ['exits', 0, '', 'the file itself: exited with code 0'],
    ['waits', 0, '', "the file itself: killed by SIGKILL after 5 s: something in it doesn't end"],
    ['first', 1, 'why', ''],
    ['fails', 2, '', 'fails: Error: on purpose'],
    ['empty', 0, '', 'the file itself: it registered no test'],
    ['throws', 0, '', 'the file itself: Error: while it is read'],
    ['hangs', 0, '', "the file itself: killed by SIGKILL after 5 s: something in it doesn't end"],
    ['passes', 1, '', ''],
    ['leaves', 0, '', 'the file itself: exited with code 3'],
    ['last', 1, '', `${join(root, 'last.test.mjs')}: Error: in the end`],
  ]);
  const printed = reports.filter(({ output }) => output !== '').map(({ path, output }) => [path, output]);
  assert.deepEqual(printed, [
    ['exits.test.mjs', 'and goes\n'],
    ['first.test.mjs', `${'said'.repeat(9_000)}\n`],
    ['fails.test.mjs', 'as it is read\nbefore it fails\n'],
    ['last.test.mjs', 'at last\n'],
  ]);
});
