import assert from 'node:assert/strict';
import test from 'node:test';
import { Command, Help } from 'commander';
import { COMMANDS, nameOf } from '../src/commands.ts';
import { DESCRIPTIONS } from '../src/descriptions.ts';
import { wrapText } from '../src/help.ts';
import { ringfence } from './support.ts';

const run = (...args: readonly string[]) => ringfence(args);

test('ringfence --help lists each command with the arguments and description of its module', async () => {
  const help = new Help();
  for (const { usages, load } of COMMANDS) {
    const program = new Command('ringfence');
    (await load())(program);
    assert.deepEqual(
      usages.map((usage) => [usage, DESCRIPTIONS[nameOf(usage)]]),
      program.commands.map((command) => [help.subcommandTerm(command), help.subcommandDescription(command)]),
    );
  }
});

test('help text fits a terminal of 80 columns except in examples, and an error names the help to read', async () => {
  for (const words of [['--help'], ['rules', '--help'], ['trace', '--help'], ['posture', '--help']]) {
    const { stdout } = await run(...words);
    const examples = stdout.lastIndexOf('Examples:');
    for (const line of stdout.slice(0, examples < 0 ? undefined : examples).split('\n'))
      assert.ok(line.length <= 80, line);
  }
  const [missing, group, unknown] = await Promise.all([
    run('incident', 'show'),
    run('rules', 'x'),
    run('events', '-y'),
  ]);
  assert.match(
    missing.stderr,
    /missing required argument 'id'\n\(ringfence incident show --help lists the arguments and options\)/,
  );
  assert.match(group.stderr, /\(ringfence rules --help lists the commands\)/);
  assert.match(unknown.stderr, /unknown option '-y'\n\(ringfence events --help lists the arguments and options\)/);
});

test('a command lists, accepts and completes only the named flags that affect it', async () => {
  const named = /--(?:only|state-dir|mode|log-level)/g;
  const flagsIn = (text = ''): string[] => [...new Set(text.match(named))];
  const expected: [words: string, flags: string[]][] = [
    ['up', ['--only', '--state-dir', '--mode', '--log-level']],
    ['doctor', ['--only', '--state-dir']],
    ['authority init', ['--state-dir']],
    ['rules check', []],
    ['status', []],
  ];
  const { stdout: completion } = await run('completion', 'bash');
  for (const [words, flags] of expected) {
    const { stdout } = await run(...words.split(' '), '--help');
    assert.deepEqual(flagsIn(stdout.slice(stdout.indexOf('\nOptions:'), stdout.indexOf('\nExamples:'))), flags, words);
    assert.match(stdout, /--config <file>/);
    assert.deepEqual(flagsIn(completion.split('\n').find((line) => line.includes(`"${words}") `))), flags, words);
  }
  const { stderr, code } = await run('rules', 'check', '--only', 'collector');
  assert.equal(code, 2);
  assert.match(stderr, /unknown option '--only'/);
});

test('wrapping joins and breaks lines of prose, and keeps examples as they are', () => {
  const text = '\none two\nthree four:\n  an example that is long\n\nfive';
  assert.equal(wrapText(text, 9), '\none two\nthree\nfour:\n  an example that is long\n\nfive');
});

test('a command is found wherever its name stands, and an unknown name is an error with a suggestion', async () => {
  const [list, rules, viaHelp, unknown, bare] = await Promise.all([
    run('--help'),
    run('rules', '--help'),
    run('help', 'rules'),
    run('rulez'),
    run(),
  ]);
  for (const { usages } of COMMANDS)
    for (const usage of usages) assert.ok(list.stdout.includes(`\n  ${usage} `), usage);
  assert.equal(list.code, 0);
  assert.match(rules.stdout, /coverage \[options\]/);
  assert.equal(viaHelp.stdout, rules.stdout);
  assert.deepEqual([unknown.code, bare.code], [2, 2]);
  assert.match(unknown.stderr, /unknown command 'rulez'\n\(Did you mean rules\?\)/);
  assert.equal(bare.stderr, list.stdout);
});
