import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { Judge, type RuleTest, readTestFile, runTest, type TestResult, Witnesses } from '@ringfence/rule-lab';
import { sources } from './content.ts';

/** A test cannot set the exact start of a container: its events come later than the container. */
const MAY_BE_SET: ReadonlySet<string> = new Set(['container.duration']);

let judge: Judge | undefined;

/**
 * Registers the tests of a test file of the built-in rules (`rules/NAME.test.yaml`) with node:test.
 * @param path relative to `root`
 */
export function registerRuleTests(root: string, path: string): void {
  const { tests, faults } = readTestFile(path, readFileSync(join(root, path), 'utf8'));
  judge ??= new Judge(sources);
  const shared = judge;
  it('has no errors', () =>
    assert.deepEqual(
      faults.map(({ line, column, message }) => `${path}:${line}:${column}: ${message}`),
      [],
    ));
  const rules = shared.rules.rules.filter(({ file }) => file === basename(path).replace('.test.yaml', '.yaml'));
  const byRule = Map.groupBy(tests, ({ rule }) => rule);
  it('has a test that fires and two that are quiet for each rule, or more, under different titles', () => {
    for (const { name } of rules) {
      const some = byRule.get(name) ?? [];
      assert.ok(some.some(isAlert), `no test of "${name}" expects an alert`);
      assert.ok(some.filter(isQuiet).length >= 2, `fewer than two tests of "${name}" expect none`);
      const titles = new Set(some.map(({ title }) => title));
      assert.equal(titles.size, some.length, `two tests of "${name}" have the same title`);
    }
  });
  it('has rules each of which some event can match', () => {
    const witnesses = new Witnesses(shared);
    const without = rules
      .map((rule) => ({ name: rule.name, ...witnesses.of(rule) }))
      .filter(({ kind }) => kind !== 'witness');
    assert.deepEqual(without, []);
  });
  for (const [name, some] of byRule) {
    describe(name, () => {
      for (const test of some) it(test.title, async () => passes(await runTest(test, shared)));
      // A restart of the agent finds every program of the host.
      if (rules.find((rule) => rule.name === name)?.kinds.join() !== 'exec') return;
      it('is quiet about programs that were running before the agent', async () => {
        for (const test of some.filter(isAlert)) passes(await runTest(asQuiet(test), shared, true));
      });
    });
  }
}

const isQuiet = ({ expect }: RuleTest): boolean => expect.alerts === 0;
const isAlert = (test: RuleTest): boolean => !isQuiet(test);
const asQuiet = (test: RuleTest): RuleTest => ({ ...test, expect: { ...test.expect, alerts: 0 } });

function passes({ test, failures, alerts, laid }: TestResult): void {
  const place = `${test.file}:${test.line}`;
  const shown = failures.map(({ of, expected, actual }) => `${place}: ${of}: expected ${expected}, came ${actual}`);
  assert.deepEqual(shown, []);
  for (const { output } of alerts) assert.notEqual(output, '', `${place}: the alert has no output`);
  const set = laid.filter((name) => !MAY_BE_SET.has(name));
  assert.deepEqual(set, [], `${place}: no event produces these fields with the values of the test`);
}
