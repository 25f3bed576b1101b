/** Runs sequences as public rule sets for Linux write them, in forms/. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { inspect } from 'node:util';
import { checkRules } from '../src/check.ts';
import { runTests } from '../src/test.ts';

const read = (name: string) => ({ name, text: readFileSync(join(import.meta.dirname, 'forms', name), 'utf8') });
const rules = [read('sequences.yaml')];

test('every form of sequence in public rule sets has an equivalent without a warning', () => {
  const { diagnostics } = checkRules({ sources: rules, asked: new Set(rules.map(({ name }) => name)) });
  // Some forms excuse by names, as the rules do that they stand for.
  assert.deepEqual(
    diagnostics.filter(({ code }) => code !== 'excuse'),
    [],
  );
});

test('every form matches its attack, and does not match a similar sequence', async () => {
  const { results, faults } = await runTests([read('sequences.test.yaml')], rules);
  const failed = results.filter(({ failures }) => failures.length > 0);
  assert.ok(faults.length === 0 && failed.length === 0, inspect({ failed, faults }));
  const names = rules.flatMap(({ text }) => [...text.matchAll(/^- rule: (.+)$/gm)].map(([, name]) => name));
  const tested = (alerts: boolean): string[] =>
    results.filter(({ test: { expect } }) => (expect.alerts !== 0) === alerts).map(({ test: { rule } }) => rule);
  for (const alerts of [true, false]) assert.deepEqual(tested(alerts), names);
});
