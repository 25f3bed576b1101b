import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatOutput } from '../src/explain/output.ts';
import { writeCondition } from '../src/language/write/write.ts';
import { writeRules } from '../src/language/write/write-rules.ts';
import { compile, compileCondition, createTestEvent } from './support/compile.ts';
import { expression } from './support/expressions.ts';

const LISTS = '- list: shells\n  items: [sh]\n';

describe('writing a condition', () => {
  test('and reading it again gives an equal one', () => {
    fc.assert(
      fc.property(expression, (wanted) => {
        const set = compileCondition(writeCondition(wanted), LISTS);
        assert.deepEqual(
          set.diagnostics.filter(({ severity }) => severity === 'error'),
          [],
        );
        assert.deepEqual(set.rules[0]?.expression, wanted);
      }),
      { numRuns: 500 },
    );
  });

  for (const condition of [
    'process.name = bash and not container.privileged',
    "process.name in ('bash', 'sh') or (user.id >= 1000 and file.path startswith /etc/)",
    "process.command_line regex '(?i)\\bnc(at)? -e'",
    'process.name not exists',
    'shell and process.parent.name != val(process.name)',
  ]) {
    test(`${condition} is written as a person would`, () => {
      const macro = '- macro: shell\n  condition: process.name = bash\n';
      const written = writeCondition(compileCondition(condition, macro).rules[0]!.expression);
      assert.equal(written, condition.replace('process.name not exists', 'not process.name exists'));
    });
  }
});

describe('writing rules', () => {
  const text = `- macro: shell
  condition: process.name in (shells)
- list: shells
  items: [bash, sh, "two words", "it's"]
- rule: Shell, long
  desc: "A: shell # started"
  condition: >
    event.action = exec and shell and process.parent.name in (httpd, nginx, apache2) and not
    process.command_line contains 'a  b' and process.command_line regex '^/usr/bin/\\S+$'
  output: "100%% of %process.name [%proc.aname[1]] ran for %duration(process.uptime)"
  priority: critical
  tags: [execution, T1059.004]
  action: kill
- rule: Scan
  condition: event.action = connect
  threshold: { distinct: destination.port, at_least: 20, by: [process.entity_id], within: 90s, window: tumbling }
  suppress: { by: [process.name], for: 10m }
  throttle: { alerts: 5, per: 1h }
  techniques: [T1046]
- rule: Beacon
  condition: event.action = connect
  threshold: { regular: 8, every: 2s, within: 1h }
`;
  const sequences = `- macro: shell
  condition: process.name = sh
- rule: Ordered
  condition: >
    sequence by user.name with maxspan=90s [ shell or user.id = 0 ] by process.entity_id with runs=3 as $first ![ event.action = exit ] by process.entity_id
    [ event.action = open and file.path startswith $first.process.name and process.args != $first.process.args ] by process.parent.entity_id
    until [ shell ] by process.entity_id
  output: "%1.process.name, %$first.process.args, %2.file.path and %file.path"
- rule: Any
  condition: sequence any order with maxspan=1m [ shell ] [ event.action = exit ]
`;

  test('and reading them again gives the same rules', () => {
    const wanted = compile(text);
    const again = compile(writeRules(wanted.rules));
    assert.deepEqual(again.diagnostics, []);
    const event = createTestEvent('exec', {
      'process.name': 'two words',
      'proc.aname[1]': 'sshd',
      'process.uptime': 3,
    });
    const shownRules = (set: typeof wanted) =>
      set.rules.map(({ line: _, condition: __, output: ___, ...rule }, i) => ({
        ...rule,
        tags: i === 0 ? rule.tags : [],
        output: formatOutput(set.rules[i]!, event),
      }));
    assert.deepEqual(shownRules(again), shownRules(wanted));
  });

  test('that are sequences gives the same, too', () => {
    const wanted = compile(sequences);
    assert.deepEqual(wanted.diagnostics, []);
    const again = compile(writeRules(wanted.rules));
    assert.deepEqual(again.diagnostics, []);
    assert.deepEqual(
      again.rules.map(({ sequence }) => sequence),
      wanted.rules.map(({ sequence }) => sequence),
    );
  });

  test('looks like a file that a person wrote', () => {
    assert.equal(
      writeRules(compile(text).rules),
      `- macro: shell
  condition: process.name in ('bash', 'sh', 'two words', "it's")

- rule: Shell, long
  desc: "A: shell # started"
  condition: >-
    event.action = exec and shell and process.parent.name in ('httpd', 'nginx', 'apache2') and not process.command_line
    contains 'a  b' and process.command_line regex '^/usr/bin/\\S+$'
  output: "100%% of %process.name [%proc.aname[1]] ran for %duration(process.uptime)"
  priority: critical
  tags: [ execution, T1059.004 ]
  action: kill

- rule: Scan
  desc: Scan
  condition: event.action = connect
  threshold: { distinct: destination.port, at_least: 20, by: [ process.entity_id ], within: 90s, window: tumbling }
  suppress: { by: [ process.name ], for: 10m }
  throttle: { alerts: 5, per: 1h }
  output: "Scan (event.action=%event.action destination.port=%destination.port process.entity_id=%process.entity_id)"
  priority: warning
  techniques: [ T1046 ]

- rule: Beacon
  desc: Beacon
  condition: event.action = connect
  threshold: { regular: 8, every: 2s, within: 1h }
  output: "Beacon (event.action=%event.action)"
  priority: warning
`,
    );
  });
});
