import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { Command, Help } from 'commander';
import { COMMANDS, nameOf } from '../src/commands.ts';
import { DESCRIPTIONS } from '../src/descriptions.ts';

const MAIN = join(import.meta.dirname, '../src/main.ts');
const run = async (...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> => {
  const node = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', MAIN, ...args];
  return await promisify(execFile)(process.execPath, node).then(
    ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
    ({ stdout, stderr, code }) => ({ stdout, stderr, code }),
  );
};

test('the list of commands shows each as its module makes it', async () => {
  const help = new Help();
  for (const { usages, load } of COMMANDS) {
    const program = new Command('ringfence');
    (await load())(program);
    assert.deepEqual(
      usages.map((usage) => [usage, DESCRIPTIONS[nameOf(usage)]]),
      program.commands.map((one) => [help.subcommandTerm(one), help.subcommandDescription(one)]),
    );
  }
});

test('a command is found wherever its name stands, and what is none is answered', async () => {
  const [all, rules, asked, unknown, none] = await Promise.all([
    run('--help'),
    run('rules', '--help'),
    run('help', 'rules'),
    run('rulez'),
    run(),
  ]);
  for (const { usages } of COMMANDS) for (const usage of usages) assert.ok(all.stdout.includes(`\n  ${usage} `), usage);
  assert.equal(all.code, 0);
  assert.match(rules.stdout, /coverage \[options\]/);
  assert.equal(asked.stdout, rules.stdout);
  assert.deepEqual([unknown.code, none.code], [2, 2]);
  assert.match(unknown.stderr, /unknown command 'rulez'\n\(Did you mean rules\?\)/);
  assert.equal(none.stderr, all.stdout);
});
