import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import test from 'node:test';
import { paintFor } from '@ringfence/base';
import { compileDetectorRules } from '@ringfence/detector';
import { coverageOf, coveragePage, navigatorLayer, rulesOf } from '@ringfence/rule-lab';
import { coverageText } from '../src/rules/coverage-view.ts';
import { skippedRulesText } from '../src/rules/diagnostics-view.ts';

const plain = paintFor(new Writable());

const TEXT = `- rule: Cron <b>
  desc: "</template><script>alert(1)</script>"
  condition: event.action = open and file.path startswith /etc/cron
  tags: [persistence, T1053.003]
- rule: Auditd stopped
  condition: event.action = exec and process.name = auditctl
  tags: [defense-evasion, T1562.012]
- rule: Windows
  condition: event.action = exec and process.name = powershell
  tags: [execution, T1059.001]
- rule: Nothing
  condition: event.action = exec and process.name = x
  tags: [execution, T0000]
`;
const coverage = coverageOf(compileDetectorRules([{ name: 'test.yaml', text: TEXT }]).rules);

const cell = (tactic: string, id: string) =>
  coverage.columns
    .find((column) => column.tactic === tactic)
    ?.cells.flatMap((one) => [one, ...one.subs])
    .find(({ technique }) => technique.id === id);

test('a rule counts under its technique, in the tactics that it names', () => {
  assert.deepEqual(
    cell('persistence', 'T1053.003')?.rules.map(({ name }) => name),
    ['Cron <b>'],
  );
  assert.deepEqual(rulesOf(cell('persistence', 'T1053')!).length, 1);
  assert.deepEqual(cell('execution', 'T1053.003')?.rules, []);
});

test('an id of v18 counts under the one that took its place, in the tactic that it serves now', () => {
  assert.equal(cell('defense-impairment', 'T1685.004')?.rules[0]?.name, 'Auditd stopped');
  assert.equal(cell('stealth', 'T1685.004'), undefined);
});

test('what is of no Linux is shown when a rule names it, and what is of nothing is told', () => {
  assert.equal(cell('execution', 'T1059.001')?.rules.length, 1);
  assert.equal(cell('execution', 'T1047'), undefined);
  assert.deepEqual(
    coverage.untagged.map(({ name }) => name),
    ['Nothing'],
  );
  assert.equal(coverage.covered, 3);
});

test('the terminal has a line for each tactic, with both names of the two that v19 made', () => {
  const text = coverageText(coverage, 'none', plain);
  assert.match(text, /^Defense Impairment {6}1 of 8 {2}\S+ {2}\(v18: Defense Evasion\)$/m);
  assert.match(text, /^Without a technique: Nothing$/m);
  assert.match(coverageText(coverage, 'covered', plain), /^ {4}T1053\.003 Cron {2}Cron <b>$/m);
  assert.doesNotMatch(coverageText(coverage, 'gaps', plain), /Cron <b>/);
});

test('the page holds no text of a rule as markup, and loads nothing', () => {
  const page = coveragePage(coverage);
  assert.doesNotMatch(page, /<script>alert|<b>\s*Cron <b>/);
  assert.match(page, /Cron &lt;b&gt;/);
  assert.doesNotMatch(page, /(?:src|href)=/);
  assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src 'sha256-/);
});

test('the layer says a technique once a tactic, in the words of its version', () => {
  const entries = (version: '18' | '19') =>
    (
      navigatorLayer(coverage, version) as { techniques: { techniqueID: string; tactic: string; score: number }[] }
    ).techniques
      .map(({ techniqueID, tactic, score }) => `${techniqueID} ${tactic} ${score}`)
      .sort();
  assert.deepEqual(entries('19'), [
    'T1053 persistence 1',
    'T1053.003 persistence 1',
    'T1059 execution 1',
    'T1059.001 execution 1',
    'T1685 defense-impairment 1',
    'T1685.004 defense-impairment 1',
  ]);
  assert.ok(entries('18').includes('T1562.012 defense-evasion 1'));
});

test('rules with errors are said to be left out, of the files that were asked for', () => {
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
