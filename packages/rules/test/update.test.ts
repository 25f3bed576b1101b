import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RuleSource } from '../src/diagnostics/report.ts';
import { compileRules, updateRules } from '../src/rule-set.ts';
import { createTestEvent, matches } from './support/compile.ts';
import { catalogue, kinds } from './support/events.ts';

const SHELLS: RuleSource = { name: 'shells.yaml', text: '- macro: shell\n  condition: process.name in (bash, sh)\n' };
const RULES: RuleSource = { name: 'rules.yaml', text: '- rule: a\n  condition: shell\n' };
const USERS: RuleSource = { name: 'other.yaml', text: '- rule: b\n  condition: user.id = 0\n' };
const start = compileRules({ sources: [SHELLS, RULES, USERS], catalogue, kinds });
const ROOT_SHELL = createTestEvent('exec', { 'process.name': 'bash', 'user.id': 0 });

describe('when rule files change', () => {
  test('a good new version takes over and the previous set stays as it was', () => {
    const { set, refused } = updateRules(start, [
      { name: 'other.yaml', text: '- rule: c\n  condition: user.id = 0\n' },
    ]);
    assert.deepEqual(refused, []);
    assert.deepEqual(matches(set, ROOT_SHELL), ['a', 'c']);
    assert.deepEqual(matches(start, ROOT_SHELL), ['a', 'b']);
  });

  test('a broken new version is refused: its former version stays, the other changes come through', () => {
    const { set, refused, diagnostics } = updateRules(start, [
      { name: 'other.yaml', text: '- rule: b\n  condition: usr.id = 0\n- rule: d\n  condition: user.id = 0\n' },
      { name: 'rules.yaml', text: '- rule: a2\n  condition: shell\n' },
    ]);
    assert.deepEqual(refused, ['other.yaml']);
    assert.deepEqual(matches(set, ROOT_SHELL), ['a2', 'b']);
    assert.deepEqual(
      diagnostics.map(({ file, code }) => [file, code]),
      [['other.yaml', 'unknown-field']],
    );
    assert.deepEqual(set.diagnostics, []);
  });

  test('a change that breaks a file that did not change is refused', () => {
    const { set, refused, diagnostics } = updateRules(start, [
      { name: 'shells.yaml', text: '- macro: shel\n  condition: process.name = sh\n' },
    ]);
    assert.deepEqual(refused, ['shells.yaml']);
    assert.deepEqual(matches(set, ROOT_SHELL), ['a', 'b']);
    assert.equal(diagnostics[0]?.file, 'rules.yaml');
    assert.match(diagnostics[0].hint, /'shel'/);
  });

  test("a file that others need can't be removed, an unneeded one can", () => {
    assert.deepEqual(updateRules(start, [{ name: 'shells.yaml', text: null }]).refused, ['shells.yaml']);
    const { set, refused } = updateRules(start, [{ name: 'other.yaml', text: null }]);
    assert.deepEqual(refused, []);
    assert.deepEqual(matches(set, ROOT_SHELL), ['a']);
  });

  test('the good rules of a new file with errors are active', () => {
    const { set, refused } = updateRules(start, [
      { name: 'new.yaml', text: '- rule: x\n  condition: bad.field = 1\n- rule: y\n  condition: shell\n' },
    ]);
    assert.deepEqual(refused, []);
    assert.deepEqual(matches(set, ROOT_SHELL), ['a', 'b', 'y']);
  });

  test('a file that was broken from the start can be repaired', () => {
    const broken = compileRules({
      sources: [{ name: 'x.yaml', text: '- rule: x\n  condition: bad.field = 1\n' }],
      catalogue,
      kinds,
    });
    assert.deepEqual(broken.rules, []);
    const { set } = updateRules(broken, [{ name: 'x.yaml', text: '- rule: x\n  condition: user.id = 0\n' }]);
    assert.deepEqual(matches(set, ROOT_SHELL), ['x']);
  });

  test('the counts of thresholds continue', () => {
    const text = '- rule: t\n  condition: user.id = 0\n  threshold: { count: 2, within: 10s }\n';
    const before = compileRules({ sources: [{ name: 't.yaml', text }], catalogue, kinds });
    assert.deepEqual(matches(before, ROOT_SHELL, 1_000_000), []);
    const { set } = updateRules(before, [{ name: 'other.yaml', text: USERS.text }]);
    assert.deepEqual(matches(set, ROOT_SHELL, 2_000_000), ['t', 'b']);
  });
});
