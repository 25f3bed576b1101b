import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import test from 'node:test';
import { compileDetectorRules } from '@ringfence/detector';
import { coverageOf, runTests } from '@ringfence/rule-lab';
import { Command } from 'commander';
import { addRules } from '../src/rules/command.ts';
import { coverageText } from '../src/rules/coverage-view.ts';
import { diagnosticsText, skippedRulesText } from '../src/rules/diagnostics-view.ts';
import { missLines, testRunText } from '../src/rules/test-view.ts';
import { plain, RINGFENCE, ringfence } from './support.ts';

const root = join(import.meta.dirname, '../..');

test('a diagnostic is printed with its place, source line, caret and hint', () => {
  const source = { name: 'r.yaml', text: '- rule: r\n  condition: proces.pid = 1\n' };
  const { diagnostics } = compileDetectorRules([source]);
  assert.equal(
    diagnosticsText(diagnostics, [source], plain),
    `r.yaml:2:14: error: unknown field 'proces.pid'
  2 |   condition: proces.pid = 1
    |              ^
  hint: Did you mean 'process.pid'?`,
  );
});

test('rules with errors are reported as skipped, for the files of the command only', () => {
  const sources = ['a.yaml', 'b.yaml', 'c.yaml'].map((name) => ({
    name,
    text: `- rule: ${name}\n  condition: ${name === 'b.yaml' ? 'process.name = x' : 'proces.name = x'}\n`,
  }));
  const { diagnostics } = compileDetectorRules(sources);
  assert.equal(skippedRulesText(diagnostics, new Set(['b.yaml'])), '');
  assert.equal(
    skippedRulesText(diagnostics, new Set(['a.yaml', 'b.yaml'])),
    'rules with errors are skipped: see ringfence rules check a.yaml\n',
  );
});

test('coverage prints a line per tactic, with the former name of a tactic that ATT&CK v19 renamed', () => {
  const text = `- rule: Cron <b>
  condition: event.action = open and file.path startswith /etc/cron
  tags: [persistence, T1053.003]
- rule: Auditd stopped
  condition: event.action = exec and process.name = auditctl
  tags: [defense-evasion, T1562.012]
- rule: Untagged
  condition: event.action = exec and process.name = x
`;
  const coverage = coverageOf(compileDetectorRules([{ name: 'test.yaml', text }]).rules);
  const overview = coverageText(coverage, 'none', plain);
  assert.match(overview, /^Defense Impairment {6}1 of 8 {2}\S+ {2}\(v18: Defense Evasion\)$/m);
  assert.match(overview, /^Without a technique: Untagged$/m);
  assert.match(coverageText(coverage, 'covered', plain), /^ {4}T1053\.003 Cron {2}Cron <b>$/m);
  assert.doesNotMatch(coverageText(coverage, 'gaps', plain), /Cron <b>/);
});

const SHELL = `- rule: Shell of a server
  condition: event.action = exec and process.name = sh and process.parent.name = nginx
`;

test('a failed rule test is printed with the expected and actual alerts and the closest event', async () => {
  const text = `rule: Shell of a server
tests:
  - test: of apache
    events:
      - { event.action: exec, process.name: ls, process.parent.name: nginx }
      - { event.action: exec, process.name: sh, process.parent.name: apache2 }
    expect: alert
`;
  const run = await runTests([{ name: 'a.test.yaml', text }], [{ name: 'rules.yaml', text: SHELL }]);
  assert.equal(
    testRunText(run, [], false, plain),
    `✗ Shell of a server · of apache
  a.test.yaml:3
  alerts:
    - expected  one or more
    + actual    none
  event 1: exec /usr/bin/ls
    ✗ and
      ✓ event.action = 'exec'   (exec)
      ✗ process.name = 'sh'   (ls)
      ✓ process.parent.name = 'nginx'   (nginx)

0 tests passed, 1 failed`,
  );
});

test('an error in a test file is printed with its line', async () => {
  const text = 'rule: Shell of a server\ntests:\n  - { test: t, events: [{ proces.name: sh }], expect: none }\n';
  const file = { name: 'a.test.yaml', text };
  const run = await runTests([file], [{ name: 'rules.yaml', text: SHELL }]);
  assert.equal(
    testRunText(run, [file], false, plain),
    `a.test.yaml:3:27: error: unknown field 'proces.name'. Did you mean 'process.name'?
  3 |   - { test: t, events: [{ proces.name: sh }], expect: none }
    |                           ^

0 tests passed, 0 failed, 1 error in test files`,
  );
});

test('explain prints the parts of a condition that failed, with their number of events', () => {
  const failed = [["process.name = 'nc'", 12] as const, ["user.id = '0'", 3] as const];
  assert.deepEqual(missLines({ events: 20, kinds: { exec: 12, connect: 3 }, failed }), [
    '  the rule looks at 12 exec, 3 connect of 20 events; the closest is above. Failed parts, with their number of events:',
    "    12  process.name = 'nc'",
    "     3  user.id = '0'",
  ]);
  assert.deepEqual(missLines({ events: 3, kinds: {}, failed: [] }), [
    '  none of 3 events is of a kind that the rule looks at',
  ]);
});

test('every rules command in docs/RULES.md, the README and the help exists with its options', () => {
  const program = new Command();
  addRules(program);
  const commands = program.commands[0]!.commands;
  const page = readFileSync(join(root, 'docs/RULES.md'), 'utf8');
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const help = commands.map((command) => command.helpInformation()).join('\n');
  const shown = [...`${page}\n${readme}\n${help}`.matchAll(/ringfence rules (\w+)([^`\n]*)/g)];
  assert.ok(shown.length > 5);
  for (const [line, name, rest = ''] of shown) {
    const command = commands.find((candidate) => candidate.name() === name);
    assert.ok(command !== undefined, line);
    for (const [option] of rest.split(/ [|>#] /)[0]!.matchAll(/--[a-z]+/g))
      assert.ok(command.options.some(({ long }) => long === option) || option === '--help', line);
  }
});

const rule = (name: string): string => `- rule: r\n  condition: event.action = exec and process.name = ${name}\n`;
const TABLE = `rule: r
tests:
  - test: t
    events: { event.action: exec, process.name: sh }
    expect: alert
`;

/** The output of a child on one stream. */
class Output {
  #text = '';
  #from = 0;
  readonly #child: ChildProcess;
  readonly #stream: Readable;

  constructor(child: ChildProcess, stream: Readable) {
    this.#child = child;
    this.#stream = stream.setEncoding('utf8').on('data', (data: string) => {
      this.#text += data;
    });
  }

  /** Waits for `text` after the text of the previous call. */
  async waitFor(text: string): Promise<void> {
    const signal = AbortSignal.timeout(60_000);
    while (!this.#text.includes(text, this.#from)) {
      assert.equal(this.#child.exitCode, null, this.#text);
      await Promise.race([once(this.#stream, 'data', { signal }), once(this.#child, 'exit', { signal })]);
    }
    this.#from = this.#text.indexOf(text, this.#from) + text.length;
  }
}

test('rules test --watch repeats the tests after each change, even an invalid one, and ends at Ctrl-C', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-watch-'));
  const rules = join(dir, 'r.yaml');
  writeFileSync(rules, rule('sh'));
  writeFileSync(join(dir, 'r.test.yaml'), TABLE);
  const [node, ...command] = RINGFENCE;
  const child = spawn(node, [...command, 'rules', 'test', dir, '--watch'], { stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    const output = new Output(child, child.stdout);
    await new Output(child, child.stderr).waitFor('watching');
    await output.waitFor('1 test passed, 0 failed');
    writeFileSync(rules, rule('zsh'));
    await output.waitFor('0 tests passed, 1 failed');
    writeFileSync(rules, '- rule: [\n');
    await output.waitFor('1 failed');
    writeFileSync(rules, rule('sh'));
    await output.waitFor('1 test passed, 0 failed');
    writeFileSync(join(dir, 'r.test.yaml'), TABLE.replace('expect: alert', 'expect: none'));
    await output.waitFor('0 tests passed, 1 failed');
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    assert.deepEqual(await ended, [1, null]);
  } finally {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
});

test('rules test takes the configured folders; without a test file it exits with 2 and explains how to write one', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-rules-'));
  const testRules = (args: readonly string[]) => ringfence(['rules', 'test', ...args, '--config', '/dev/null']);
  try {
    writeFileSync(join(dir, 'r.yaml'), rule('sh'));
    const configured = ['--set', `detector.rules=${dir}`];
    for (const args of [configured, [dir], [...configured, '--watch'], [join(dir, 'r.yaml')]]) {
      const { stdout, stderr, code } = await testRules(args);
      assert.deepEqual({ stdout, code }, { stdout: '', code: 2 }, args.join(' '));
      assert.match(stderr, new RegExp(`^ringfence: there is no test file in ${dir}`));
      assert.match(stderr, /is named NAME\.test\.yaml.*rules new NAME --dir FOLDER.*rules test --help[^\n]*\n$/);
    }
    writeFileSync(join(dir, 'r.test.yaml'), TABLE);
    const { stdout, code } = await testRules(configured);
    assert.match(stdout, /1 test passed, 0 failed/);
    assert.equal(code, 0);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
