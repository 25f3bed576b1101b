import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { readSources, shortName } from '../src/sources.ts';
import { readTestSources, rulesBeside } from '../src/test-sources.ts';

const BUILTIN = { detector: { rules: ['builtin'], reorderMs: 0 } } as unknown as Parameters<typeof readSources>[1];

const dir = mkdtempSync(join(tmpdir(), 'rf-sources-'));
test.after(() => rmSync(dir, { recursive: true }));

test('a folder without rule files is an error', async () => {
  const folder = join(dir, 'nothing');
  mkdirSync(folder);
  await assert.rejects(readSources([folder], BUILTIN), /no rule file \(\.yaml, \.yml\) in .*nothing/);
});

test('test files are not read as rules', async () => {
  const folder = join(dir, 'both');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.yaml'), '- rule: of a folder\n  condition: event.action = fork\n');
  writeFileSync(join(folder, 'a.test.yaml'), 'tests: []\n');
  const { asked } = await readSources([folder], BUILTIN);
  assert.deepEqual([...asked], [join(folder, 'a.yaml')]);
});

test('a test uses the rules of its folder, not those of subfolders', async () => {
  const folder = join(dir, 'tests');
  mkdirSync(join(folder, 'below'), { recursive: true });
  for (const name of ['a.yaml', 'a.test.yaml', 'below/b.yaml', 'below/b.test.yml'])
    writeFileSync(join(folder, name), '');
  const tests = await readTestSources([folder]);
  assert.deepEqual(
    tests.map(({ name }) => name),
    [join(folder, 'a.test.yaml'), join(folder, 'below/b.test.yml')],
  );
  assert.deepEqual(await rulesBeside(tests.slice(0, 1)), [join(folder, 'a.yaml')]);
});

test('file names are relative to the working directory if they are below it', () => {
  assert.equal(shortName('/home/me/rules/a.yaml', '/home/me'), 'rules/a.yaml');
  assert.equal(shortName('/etc/a.yaml', '/home/me'), '/etc/a.yaml');
  assert.equal(shortName('rules/../a.yaml', '/home/me'), 'a.yaml');
});
