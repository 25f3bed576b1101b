import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import test from 'node:test';
import { paintFor } from '@ringfence/base';
import { compileDetectorRules } from '@ringfence/detector';
import { catalogue } from '@ringfence/fields';
import { checkRules, readSources, readTestSources, rulesBeside, shortName, testFileSchema } from '@ringfence/rule-lab';
import { ruleFileSchema } from '@ringfence/rules';
import { diagnosticsText } from '../src/rules/diagnostics-view.ts';

const plain = paintFor(new Writable());
const BUILTIN = { detector: { rules: ['builtin'], reorderMs: 0 } } as unknown as Parameters<typeof readSources>[1];

const dir = mkdtempSync(join(tmpdir(), 'rf-rules-'));
test.after(() => rmSync(dir, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

test('the built-in content has no errors and no warnings', async () => {
  const checked = checkRules(await readSources([], BUILTIN));
  assert.ok(checked.rules >= 80, `${checked.rules}`);
  assert.deepEqual(checked.diagnostics, []);
});

test('a file may use what the configured ones define, and is told of nothing but itself', async () => {
  const path = write('own.yaml', '- rule: r\n  condition: seen_starting and shell and proces.pid = 1\n');
  const sources = await readSources([path], BUILTIN);
  const checked = checkRules(sources);
  assert.deepEqual([checked.files, checked.rules, checked.errors, checked.warnings], [1, 0, 1, 0]);
  assert.equal(
    diagnosticsText(checked.diagnostics, sources.sources, plain),
    `${path}:2:42: error: unknown field 'proces.pid'
  2 |   condition: seen_starting and shell and proces.pid = 1
    |                                          ^
  hint: Did you mean 'process.pid'?`,
  );
  const alone = checkRules(await readSources([path], BUILTIN, true));
  assert.deepEqual(
    alone.diagnostics.map(({ code }) => code),
    ['unknown-macro', 'unknown-macro', 'unknown-field'],
  );
});

test('a rule without a source of events is told that it never matches, and where its fields are', async () => {
  const path = write('never.yaml', '- rule: r\n  condition: event.action = fork and process.exit_code = 22\n');
  const [found] = checkRules(await readSources([path], BUILTIN)).diagnostics;
  assert.equal(found?.code, 'never');
  assert.match(found?.hint ?? '', /process\.exit_code is on exit/);
});

test('what is done by io_uring, a line of a log or a context is no other action', async () => {
  const action = 'event.action = exec';
  const text = `- rule: r\n  condition: ${action} and file.open.write\n- rule: s\n  condition: ${action}\n`;
  const path = write('mixed.yaml', text);
  const { diagnostics } = checkRules(await readSources([path], BUILTIN));
  assert.deepEqual(
    diagnostics.map(({ line, code, hint }) => [line, code, hint]),
    [[2, 'never', 'file.open.write is on open, io_uring.']],
  );
  assert.deepEqual(
    compileDetectorRules([{ name: path, text }], 'hunt').rules.map(({ kinds }) => kinds),
    [[], ['exec']],
  );
});

test('a value that a field never has is told, in steps of sequences too', async () => {
  const path = write(
    'slip.yaml',
    `- rule: r
  condition: event.action in (exce, open) and event.outcome != sucess and event.action startswith exc
- rule: s
  condition: >
    sequence by host.id with maxspan=1m
      [ event.action = exec ]
      [ event.action = conect and network.transport = upd ]
      ![ event.action = session-open ]
`,
  );
  assert.deepEqual(
    checkRules(await readSources([path], BUILTIN))
      .diagnostics.filter(({ code }) => code === 'unknown-value')
      .map(({ line, column, message, hint }) => `${line}:${column} ${message} ${hint}`),
    [
      "2:31 'event.action' is never 'exce' Did you mean 'exec'?",
      "2:64 'event.outcome' is never 'sucess' Did you mean 'success'?",
      "7:24 'event.action' is never 'conect' Did you mean 'connect'?",
      "7:55 'network.transport' is never 'upd' Did you mean 'udp'?",
      "8:25 'event.action' is never 'session-open' Did you mean 'session-opened'?",
    ],
  );
});

test('a folder without rules is no set that is right', async () => {
  const folder = join(dir, 'nothing');
  mkdirSync(folder);
  await assert.rejects(readSources([folder], BUILTIN), /no rule file \(\.yaml, \.yml\) in .*nothing/);
});

test('tests of rules are no rules', async () => {
  const folder = join(dir, 'both');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.yaml'), '- rule: of a folder\n  condition: event.action = fork\n');
  writeFileSync(join(folder, 'a.test.yaml'), 'tests: []\n');
  const { asked } = await readSources([folder], BUILTIN);
  assert.deepEqual([...asked], [join(folder, 'a.yaml')]);
});

test('the rules of a test are those in its folder, not those below it', async () => {
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

test('names are as people type them', () => {
  assert.equal(shortName('/home/me/rules/a.yaml', '/home/me'), 'rules/a.yaml');
  assert.equal(shortName('/etc/a.yaml', '/home/me'), '/etc/a.yaml');
  assert.equal(shortName('rules/../a.yaml', '/home/me'), 'a.yaml');
});

test('the schemas of both kinds of files name every key and every field', () => {
  const rules = JSON.stringify(ruleFileSchema());
  for (const word of ['condition', 'at_least', 'techniques', 'emergency', 'kill'])
    assert.ok(rules.includes(`"${word}"`), word);
  const tests = JSON.stringify(testFileSchema());
  for (const { name } of catalogue.fields) assert.ok(tests.includes(`"${name}"`), name);
});
