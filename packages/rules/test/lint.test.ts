import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { retiredTechniques } from '../src/attack/retired.ts';
import { attackTechnique } from '../src/attack/techniques.ts';
import { Nodes } from '../src/compile/nodes/nodes.ts';
import { explainExpression } from '../src/explain/explain.ts';
import { implies } from '../src/lint/implies.ts';
import { lintRules } from '../src/lint/lint.ts';
import { compile, compileCondition } from './support/compile.ts';
import type { TestEvent } from './support/events.ts';
import { event, expression } from './support/expressions.ts';

const warnings = (text: string): string[] =>
  lintRules(compile(text)).map(({ code, line, column }) => `${line}:${column} ${code}`);

describe('lint', () => {
  test('finds macros and lists that no rule needs, directly or through others', () => {
    const text = `- list: shells
  items: [sh, more]
- list: more
  items: [bash]
- macro: shell
  condition: process.name in (shells)
- macro: dead
  condition: process.name in (corpses) or undead
- macro: undead
  condition: process.name = "shell"
- list: corpses
  items: [x]
- rule: r
  condition: event.action = exec and shell
`;
    assert.deepEqual(warnings(text), ['7:10 unused-macro', '9:10 unused-macro', '11:9 unused-list']);
  });

  test('finds rules that repeat another rule', () => {
    const text = `- rule: wide
  condition: event.action = exec and process.name in (sh, bash)
- rule: same in another order
  condition: (process.name = bash or process.name = sh) and event.action = exec
- rule: narrow
  condition: event.action = exec and process.name = sh and user.id = 0
- rule: narrow and more urgent
  condition: event.action = exec and process.name = sh and user.id = 0
  priority: error
- rule: narrow and counted
  condition: event.action = exec and process.name = sh
  threshold: { count: 3, within: 10s }
- rule: other
  condition: event.action = exec and process.name = zsh
`;
    assert.deepEqual(warnings(text), ['3:9 duplicate-condition', '5:9 shadowed', '7:9 duplicate-condition']);
  });

  test('accepts a narrower rule if alerts of the wider one may be held back', () => {
    const wide = '- rule: wide\n  condition: event.action = exec\n  suppress: { by: [process.name], for: 10m }\n';
    assert.deepEqual(warnings(`${wide}- rule: narrow\n  condition: event.action = exec and user.id = 0\n`), []);
  });

  test('finds a rule that matches everything', () => {
    assert.deepEqual(warnings('- rule: r\n  condition: event.action exists or not event.action exists\n'), [
      '1:9 always',
    ]);
  });

  test('finds unknown ATT&CK techniques and tactics that they do not serve; v18 is known too', () => {
    const rule = (tags: string) => `- rule: r\n  condition: process.name = sh\n  tags: [${tags}]\n`;
    assert.deepEqual(warnings(rule('execution, T1059.004')), []);
    assert.deepEqual(warnings(rule('defense-evasion, T1562.001')), []);
    assert.deepEqual(warnings(rule('persistence, T1574.006')), []);
    assert.deepEqual(warnings(rule('impact')), []);
    assert.deepEqual(warnings(rule('execution, T1059.094')), ['1:9 unknown-technique']);
    assert.deepEqual(warnings(rule('execution, T9998, T9999')), ['1:9 unknown-technique', '1:9 unknown-technique']);
    assert.deepEqual(warnings(rule('impact, T1059.004')), ['1:9 tactic']);
  });

  test('names the successor of a retired technique', () => {
    const set = compile('- rule: r\n  condition: process.name = sh\n  tags: [T1100, attack.t1089]\n');
    assert.deepEqual(
      lintRules(set).map(({ message, hint }) => `${message}: ${hint}`),
      [
        'ATT&CK has no technique T1100 any more: It is T1505.003 (Web Shell) now.',
        'ATT&CK has no technique T1089 any more: It is T1685 (Disable or Modify Tools) now.',
      ],
    );
    for (const [id, now] of retiredTechniques) {
      assert.equal(attackTechnique(id), undefined, id);
      assert.equal(attackTechnique(now)?.id, now, id);
    }
  });

  test('does not check the tactics of rules in other languages', () => {
    const falco = `- rule: r
  desc: d
  condition: process.name = sh
  output: o
  priority: INFO
  source: syscall
`;
    assert.deepEqual(warnings(`${falco}  tags: [mitre_impact, T1059.004]\n`), []);
    assert.deepEqual(warnings(`${falco}  tags: [mitre_impact, T1059.094]\n`), ['1:1 unknown-technique']);
  });

  test("ignores files that can't be read", () => {
    assert.deepEqual(warnings('- rule: [\n'), []);
    assert.deepEqual(warnings('- rule: r\n  condition: (((\n'), []);
  });
});

describe('implication', () => {
  const nodes = new Nodes<TestEvent>();
  const node = (condition: string) => nodes.fold(compileCondition(condition).rules[0]!.expression);
  for (const [a, b] of [
    ['process.name = sh', 'process.name in (sh, bash)'],
    ['process.name = sh and user.id = 0', 'user.id = 0'],
    ['process.name = sh', 'process.name startswith s or user.id = 0'],
    ['file.path startswith /etc/cron.d/', 'file.path startswith /etc/'],
    ['file.path startswith /etc/cron.d/', 'file.path contains cron'],
    ['process.name not in (a, b)', 'process.name != a'],
    ['user.id = 5', 'user.id < 6'],
    ['process.name = sh', 'process.name exists'],
    ['not user.id < 6', 'not user.id = 5'],
  ] as const) {
    test(`${a} implies ${b}, not the other way round`, () => {
      assert.equal(implies(node(a), node(b)), true);
      assert.equal(implies(node(b), node(a)), false);
    });
  }

  test('a proved implication holds on every event', () => {
    const holds = (candidate: Parameters<typeof explainExpression<TestEvent>>[0], on: TestEvent) =>
      explainExpression(candidate, on).holds;
    fc.assert(
      fc.property(expression, expression, fc.array(event, { minLength: 5, maxLength: 20 }), (a, b, events) => {
        const conjunction = { kind: 'and' as const, items: [a, b] };
        for (const [left, right] of [
          [a, b],
          [conjunction, a],
          [a, conjunction],
        ] as const) {
          if (!implies(nodes.fold(left), nodes.fold(right))) continue;
          for (const candidate of events) assert.ok(!holds(left, candidate) || holds(right, candidate));
        }
      }),
      { numRuns: 500 },
    );
  });
});
