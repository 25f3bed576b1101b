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
  'first.test.mjs': `globalThis.inOrder.push('first'); describe('a group', () => { test('passes', () => console.log('line'.repeat(9_000))); test('is skipped', { skip: 'why' }, () => {}); });`,
  'fails.test.mjs': `console.log('during the import'); test('prints', () => console.error('before it fails')); test('sees every file imported', () => { if (globalThis.inOrder[0] !== 'first') throw new Error('alone'); }); test('fails', () => { throw new Error('on purpose'); });`,
  'empty.test.mjs': '',
  'throws.test.mjs': `throw new Error('during the import');`,
  'exits.test.mjs': `console.log('exits'); process.exit(0);`,
  'waits.test.mjs': 'setInterval(() => {}, 1000); await new Promise(() => {});',
  'hangs.test.mjs': `test('hangs', () => new Promise(() => setInterval(() => {}, 1000)));`,
  'passes.test.mjs': `test('passes', () => {});`,
  'crashes.test.mjs': `test('exits', () => process.exit(3));`,
  'last.test.mjs': `after(() => { throw new Error('at the end'); }); test('passes', () => console.log('last line'));`,
};

test('files run in one process with one report each; a file that hangs, exits or cannot be imported fails alone', async () => {
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(root, name), `${IMPORTS}${text}\n`);
  const reports: FileReport[] = [];
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const onReport = (report: FileReport): void => void reports.push(report);
  await runFiles(Object.keys(FILES), { root, timeoutMs: 5_000, env, onReport });
  const results = reports.map(({ path, passed, failures, skipped }) => [
    path.replace('.test.mjs', ''),
    passed,
    skipped.map(({ reason }) => reason).join(),
    failures.map(({ title, error }) => `${title}: ${error.split('\n')[0]}`).join(),
  ]);
  assert.deepEqual(results, [
    // Files that end the process during the import come before all files that run.
    ['exits', 0, '', 'the file itself: exited with code 0'],
    ['waits', 0, '', 'the file itself: killed by SIGKILL after 5 s: a test or an open handle keeps the file running'],
    ['first', 1, 'why', ''],
    ['fails', 2, '', 'fails: Error: on purpose'],
    ['empty', 0, '', 'the file itself: the file registered no test'],
    ['throws', 0, '', 'the file itself: Error: during the import'],
    ['hangs', 0, '', 'the file itself: killed by SIGKILL after 5 s: a test or an open handle keeps the file running'],
    ['passes', 1, '', ''],
    ['crashes', 0, '', 'the file itself: exited with code 3'],
    ['last', 1, '', `${join(root, 'last.test.mjs')}: Error: at the end`],
  ]);
  const printed = reports.filter(({ output }) => output !== '').map(({ path, output }) => [path, output]);
  assert.deepEqual(printed, [
    ['exits.test.mjs', 'exits\n'],
    ['first.test.mjs', `${'line'.repeat(9_000)}\n`],
    ['fails.test.mjs', 'during the import\nbefore it fails\n'],
    ['last.test.mjs', 'last line\n'],
  ]);
});
