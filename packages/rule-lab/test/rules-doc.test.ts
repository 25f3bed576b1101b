/** Runs the examples of docs/RULES.md. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { inspect } from 'node:util';
import { checkRules } from '../src/check.ts';
import { runTests } from '../src/test.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/RULES.md'), 'utf8');
const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ''], i) => ({
  name: `block ${i + 1}`,
  text,
}));
const isTest = ({ text }: { text: string }): boolean => /^ *tests:/m.test(text);
const rules = blocks.filter((block) => !isTest(block));
const tests = blocks.filter(isTest);

/** Rules of other languages excuse and join as their authors do. */
const FOREIGN = /^(?:logsource|- required_engine_version):?/m;

test('every rule in docs/RULES.md has no errors and no warnings', () => {
  assert.ok(rules.length >= 4);
  const asked = new Set(rules.map(({ name }) => name));
  const foreign = new Set(rules.filter(({ text }) => FOREIGN.test(text)).map(({ name }) => name));
  const { diagnostics } = checkRules({ sources: rules, asked });
  const own = diagnostics.filter(({ file, code }) => !foreign.has(file) || !['excuse', 'host-join'].includes(code));
  assert.deepEqual(own, []);
});

test('every test in docs/RULES.md passes', async () => {
  const { results, faults } = await runTests(tests, rules);
  const failed = results.filter(({ failures }) => failures.length > 0);
  assert.ok(results.length >= 9 && faults.length === 0 && failed.length === 0, inspect({ failed, faults }));
});
