import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import test from 'node:test';
import { paintFor } from '@ringfence/base';
import { checkRules, runTests } from '@ringfence/rule-lab';
import { testRunText } from '../src/rules/test-view.ts';

const read = (name: string) => ({ name, text: readFileSync(join(import.meta.dirname, 'forms', name), 'utf8') });
const rules = [read('sequences.yaml')];

test('the forms of sequences that public rule sets are written in can all be written, without a warning', () => {
  const { diagnostics } = checkRules({ sources: rules, asked: new Set(rules.map(({ name }) => name)) });
  assert.deepEqual(diagnostics, []);
});

test('and each fires on what it is for, and not on what is nearly that', async () => {
  const tests = [read('sequences.test.yaml')];
  const run = await runTests(tests, rules);
  const wrong = run.faults.length > 0 || run.results.some(({ failures }) => failures.length > 0);
  assert.ok(!wrong, testRunText(run, tests, true, paintFor(new Writable())));
  const names = rules.flatMap(({ text }) => [...text.matchAll(/^- rule: (.+)$/gm)].map(([, name]) => name));
  const expected = (alerts: boolean): string[] =>
    run.results.filter(({ test: { expect } }) => (expect.alerts !== 0) === alerts).map(({ test: { rule } }) => rule);
  for (const alerts of [true, false]) assert.deepEqual(expected(alerts), names);
});
