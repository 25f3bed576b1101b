import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { explain, renderExplanation } from '../src/explain/explain.ts';
import { fieldValues, formatOutput, printable } from '../src/explain/output.ts';
import { compile, compileCondition, createTestEvent } from './support/compile.ts';

const EVENT = createTestEvent('exec', {
  'process.name': 'bash',
  'process.args': ['bash', '-c', 'x'],
  'container.label[app]': 'web',
  'process.uptime': 0.012464,
  'user.id': 0,
});

function output(template: string): string {
  const set = compile(`- rule: r\n  condition: user.id = 0\n  output: ${JSON.stringify(template)}\n`);
  assert.deepEqual(set.diagnostics, []);
  return formatOutput(set.rules[0]!, EVENT);
}

describe('an output', () => {
  const table: readonly (readonly [template: string, line: string])[] = [
    ['shell %process.name by %user.id', 'shell bash by 0'],
    ['%process.name.', 'bash.'],
    ['(%proc.name,%container.label[app])', '(bash,web)'],
    ['args=%process.args', 'args=bash -c x'],
    ['image=%container.image', 'image=<NA>'],
    ['%duration(process.uptime) after', '12 ms after'],
    ['100%% of %process.name%', '100% of bash%'],
    ['nothing to fill', 'nothing to fill'],
  ];
  for (const [template, line] of table) test(`${template} becomes ${line}`, () => assert.equal(output(template), line));

  test('that a rule does not define is made of its description and the fields of its condition', () => {
    const set = compile(
      '- rule: r\n  desc: Root shell\n  condition: tolower(process.name) = bash and user.id = 0 and process.name exists\n',
    );
    assert.equal(formatOutput(set.rules[0]!, EVENT), 'Root shell (process.name=bash user.id=0)');
  });

  test('lets no control character, escape sequence, line break or direction mark of a value through', () => {
    const set = compile("- rule: r\n  condition: process.name exists\n  output: 'p=%process.name'\n");
    const hostile = '\u001b[31mred\u0007\r\n\t\u009b2J\u007f\u202egnp\u2028\ud800';
    const line = formatOutput(set.rules[0]!, createTestEvent('exec', { 'process.name': hostile }));
    assert.equal(line, 'p=\\x1b[31mred\\x07\\x0d\\x0a\\x09\\x9b2J\\x7f\\u202egnp\\u2028\\ud800');
  });

  test('keeps ordinary text of any script as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'é', '世', '😀', ' ', '~') }), (text) =>
        assert.equal(printable(text), text),
      ),
    );
  });

  test('cuts a very long value', () => {
    const set = compile("- rule: r\n  condition: process.name exists\n  output: '%process.name'\n");
    assert.equal(
      formatOutput(set.rules[0]!, createTestEvent('exec', { 'process.name': 'x'.repeat(100_000) })).length,
      1025,
    );
  });
});

test('field values are the fields that the rule names and the event has, as text', () => {
  const set = compile(
    "- rule: r\n  condition: user.id = 0 and container.image exists\n  output: '%container.label[app] %process.name'\n",
  );
  assert.deepEqual(fieldValues(set.rules[0]!, EVENT), {
    'user.id': '0',
    'container.label[app]': 'web',
    'process.name': 'bash',
  });
});

test('tags and techniques give ATT&CK tactics (v19) and techniques, whichever way they are written', () => {
  const set = compile(
    '- rule: r\n  condition: user.id = 0\n  tags: [host, mitre_privilege_escalation, attack.defense-evasion, execution, attack.t1548.001]\n  techniques: [T1059.004]\n',
  );
  const [rule] = set.rules;
  assert.deepEqual(rule?.tactics, ['privilege-escalation', 'stealth', 'execution']);
  assert.deepEqual(rule?.techniques, ['T1059.004', 'T1548.001']);
});

describe('an explanation', () => {
  test('shows each part of a condition with its value', () => {
    const set = compileCondition(
      'shell and not (container.image exists) and user.id in (1, 2)',
      '- macro: shell\n  condition: process.name in (bash, sh)\n',
    );
    const expected = [
      '✗ and',
      '  ✓ shell',
      "    ✓ process.name in ('bash', 'sh')   (bash)",
      '  ✓ not',
      '    ✗ container.image exists   (<NA>)',
      '  ✗ user.id in (1, 2)   (0)',
    ];
    assert.equal(renderExplanation(explain(set.rules[0]!, EVENT)), expected.join('\n'));
  });

  test('lets no escape sequence of a value through', () => {
    const set = compileCondition('process.name = x');
    const [line] = renderExplanation(
      explain(set.rules[0]!, createTestEvent('exec', { 'process.name': '\u001b[2J' })),
    ).split('\n');
    assert.equal(line, "✗ process.name = 'x'   (\\x1b[2J)");
  });
});

test('a field that this kind of event does not have is not read, even if the event holds a value in its place', () => {
  const set = compile('- rule: r\n  condition: file.path exists or process.name exists\n  output: "%file.path"\n');
  const exec = createTestEvent('exec', { 'file.path': '/unrelated', 'process.name': 'sh' });
  assert.equal(formatOutput(set.rules[0]!, exec), '<NA>');
  assert.deepEqual(fieldValues(set.rules[0]!, exec), { 'process.name': 'sh' });
});
