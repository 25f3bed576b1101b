import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import test from 'node:test';
import { paintFor } from '@ringfence/base';
import { checkRules, runTests } from '@ringfence/rule-lab';
import { Command } from 'commander';
import { addRules } from '../src/rules/command.ts';
import { testRunText } from '../src/rules/test-view.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/RULES.md'), 'utf8');
const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ''], i) => ({
  name: `block ${i + 1}`,
  text,
}));
const isTest = ({ text }: { text: string }): boolean => /^ *tests:/m.test(text);
const rules = blocks.filter((block) => !isTest(block));
const tests = blocks.filter(isTest);

test('every rule that docs/RULES.md shows is without errors and warnings', () => {
  assert.ok(rules.length >= 4);
  const asked = new Set(rules.map(({ name }) => name));
  assert.deepEqual(checkRules({ sources: rules, asked }).diagnostics, []);
});

test('every test that docs/RULES.md shows passes', async () => {
  const run = await runTests(tests, rules);
  const failed = run.results.some(({ failures }) => failures.length > 0);
  assert.ok(
    run.results.length >= 9 && run.faults.length === 0 && !failed,
    testRunText(run, tests, true, paintFor(new Writable())),
  );
});

test('every command that the page, the README and the help show is there, with its options', () => {
  const program = new Command();
  addRules(program);
  const commands = program.commands[0]!.commands;
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const help = commands.map((command) => command.helpInformation()).join('\n');
  const shown = [...`${page}\n${readme}\n${help}`.matchAll(/ringfence rules (\w+)([^`\n]*)/g)];
  assert.ok(shown.length > 5);
  for (const [line, name, rest = ''] of shown) {
    const command = commands.find((one) => one.name() === name);
    assert.ok(command !== undefined, line);
    for (const [option] of rest.split(/ [|>#] /)[0]!.matchAll(/--[a-z]+/g))
      assert.ok(command.options.some(({ long }) => long === option) || option === '--help', line);
  }
});
