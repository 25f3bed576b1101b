import assert from 'node:assert/strict';
import test from 'node:test';
import { compileDetectorRules } from '@ringfence/detector';
import { coverageOf, rulesOf } from '../src/coverage.ts';
import { coveragePage } from '../src/coverage-page.ts';
import { navigatorLayer } from '../src/navigator.ts';

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
    ?.cells.flatMap((technique) => [technique, ...technique.subs])
    .find(({ technique }) => technique.id === id);

test('a rule counts for its technique in the tactics that it names', () => {
  assert.deepEqual(
    cell('persistence', 'T1053.003')?.rules.map(({ name }) => name),
    ['Cron <b>'],
  );
  assert.deepEqual(rulesOf(cell('persistence', 'T1053')!).length, 1);
  assert.deepEqual(cell('execution', 'T1053.003')?.rules, []);
});

test('an id of ATT&CK v18 counts for the id that replaced it, in its new tactic', () => {
  assert.equal(cell('defense-impairment', 'T1685.004')?.rules[0]?.name, 'Auditd stopped');
  assert.equal(cell('stealth', 'T1685.004'), undefined);
});

test('a technique for other systems is shown only if a rule names it; a rule with an unknown id is untagged', () => {
  assert.equal(cell('execution', 'T1059.001')?.rules.length, 1);
  assert.equal(cell('execution', 'T1047'), undefined);
  assert.deepEqual(
    coverage.untagged.map(({ name }) => name),
    ['Nothing'],
  );
  assert.equal(coverage.covered, 3);
});

test('the page escapes the text of rules and loads nothing', () => {
  const page = coveragePage(coverage);
  assert.doesNotMatch(page, /<script>alert|<b>\s*Cron <b>/);
  assert.match(page, /Cron &lt;b&gt;/);
  assert.doesNotMatch(page, /(?:src|href)=/);
  assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src 'sha256-/);
});

test('the Navigator layer lists a technique once per tactic, with the names of its ATT&CK version', () => {
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
