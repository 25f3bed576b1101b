import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatOutput } from '../../src/explain/output.ts';
import { compileRules, updateRules } from '../../src/rule-set.ts';
import { kinds } from '../support/events.ts';
import { catalogue, createTestEvent, HEAD, load, matching, messagesOf, rule } from './support.ts';

const exec = (name: string, more = {}) => createTestEvent('exec', { 'process.name': name, 'proc.args': '', ...more });

describe("files in Falco's format", () => {
  test('are known by keys that only Falco has, by the fields of whole rules, or by their name', () => {
    const isFalco = (text: string, name = 'x.yaml'): boolean => {
      const set = compileRules({ sources: [{ name, text }], catalogue, kinds });
      // The container's id is also present on hosts.
      return matching(set, createTestEvent('exec')).length === 1;
    };
    const [bare, whole] = ['- rule: r\n  condition: container.id = host\n', rule('r', 'container.id = host')];
    assert.equal(isFalco(bare), false);
    assert.equal(isFalco(whole), false);
    assert.equal(isFalco(`${HEAD}${bare}`), true);
    assert.equal(isFalco(`${bare}  source: syscall\n`), true);
    assert.equal(isFalco(whole, '/etc/falco/my_rules.yaml'), false);
    assert.equal(isFalco(whole, '/etc/x/falco_rules.local.yaml'), true);
    assert.equal(isFalco(rule('r', 'container.id = host and not proc.name exists')), true);
    assert.equal(isFalco(rule('r', 'container.id = host and not proc.name exists', '  action: alert\n')), false);
    assert.equal(isFalco(rule('r', 'container.id = host and not process.name exists and not proc.name exists')), false);
  });

  test('have macros and lists that native files do not share', () => {
    const native = '- macro: shell\n  condition: process.name = zsh\n- rule: n\n  condition: shell\n';
    const falco = `${HEAD}- macro: shell\n  condition: (proc.name = bash)\n${rule('f', 'shell')}`;
    const set = load(native, falco);
    assert.deepEqual(messagesOf(set), []);
    assert.deepEqual([matching(set, exec('zsh')), matching(set, exec('bash'))], [['n'], ['f']]);
    assert.deepEqual(messagesOf(load(native, `${HEAD}${rule('n', 'proc.name = x')}`)), [
      "b:2: error: there is already a rule 'n'",
    ]);
  });

  test('may redefine an item: the last definition counts, at the position of the first', () => {
    const first = `${HEAD}- list: l\n  items: [a]\n- macro: m\n  condition: (proc.name in (l))\n${rule('r', 'm')}${rule('s', 'proc.name = s')}`;
    const second = `${HEAD}- list: l\n  items: [b]\n- macro: m\n  condition: (proc.name in (l) or proc.name = c)\n${rule('r', 'm and not proc.name = x')}`;
    const set = load(first, second);
    assert.deepEqual(messagesOf(set), []);
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => matching(set, exec(name))),
      [[], ['r'], ['r']],
    );
    assert.deepEqual(set.rules.map(({ name }) => name).toSorted(), ['r', 's']);
  });

  test('report errors of a redefined rule at the place of the redefinition', () => {
    const first = `${HEAD}${rule('r', 'proc.name = r')}`;
    const again = (condition: string, output = 'o'): string =>
      `${HEAD}\n\n${rule('r', condition).replace('output: o', `output: ${output}`)}`;
    const messagesAfter = (text: string): string[] => messagesOf(load(first, text));
    assert.deepEqual(messagesAfter(again('proc.name = r', 'of %proc.nam')), ["b:7: error: unknown field 'proc.nam'"]);
    assert.deepEqual(messagesAfter(again('proc.nam = r')), ["b:6: error: unknown field 'proc.nam'"]);
    assert.deepEqual(messagesAfter(again('proc.name = r', 'of %proc.sname')), [
      "b:7: warning: 'proc.sname' is never available: sessions are not recorded",
    ]);
    assert.deepEqual(messagesAfter(again('proc.name in ()')), [
      "b:6: warning: rule 'r' can never match: process.name is compared with an empty list",
    ]);
  });

  test('may have keys in any order, comments in lists, and names defined further down', () => {
    const text = `---
${HEAD}
- condition: (proc.name in (tools) and not idle)
  macro: looks_around

${rule('r', 'looks_around')}
- list: tools
  items:
    - w
    # lists of the other package
    - who
    - '"["'

- macro: idle
  condition: proc.tty = 0 or proc.pcmdline = "x y"
`;
    const set = load(text);
    assert.deepEqual(messagesOf(set), []);
    const names = (name: string, tty: number): string[] => matching(set, exec(name, { 'proc.tty': tty }));
    assert.deepEqual([names('who', 1), names('[', 1), names('who', 0), names('x', 1)], [['r'], ['r'], [], []]);
  });

  test('append with append: true', () => {
    const more = `
- list: l
  append: true
  items: [b]
- macro: m
  append: true
  condition: or proc.name = c
- rule: r
  append: true
  condition: and not proc.args = no
`;
    const set = load(
      `${HEAD}- list: l\n  items: [a]\n- macro: m\n  condition: proc.name in (l)\n${rule('r', '(m)')}`,
      more,
    );
    assert.deepEqual(messagesOf(set), []);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((name) => matching(set, exec(name)).length),
      [1, 1, 1, 0],
    );
    assert.deepEqual(matching(set, exec('a', { 'proc.args': 'no' })), []);
    assert.equal(set.rules[0]?.condition, '(m) and not proc.args = no');
  });

  test('override single keys', () => {
    const base = `${HEAD}${rule('r', 'proc.name = a', '  tags: [host]\n  enabled: false\n')}`;
    const more = `
- rule: r
  condition: or proc.name = b
  output: "*changed %proc.name"
  desc: and more
  tags: [mitre_execution, T1059, TA0003]
  priority: CRITICAL
  enabled: true
  override: { condition: append, output: replace, desc: append, tags: append, priority: replace, enabled: replace }
`;
    const set = load(base, more);
    assert.deepEqual(messagesOf(set), []);
    assert.deepEqual(matching(set, exec('b')), ['r']);
    const [changed] = set.rules;
    assert.equal(formatOutput(changed!, exec('b')), 'changed b');
    const { description, tags, tactics, techniques, priority, line } = changed!;
    assert.deepEqual(
      { description, tags, tactics, techniques, priority, line },
      {
        description: 'd and more',
        tags: ['host', 'mitre_execution', 'T1059', 'TA0003'],
        tactics: ['execution', 'persistence'],
        techniques: ['T1059'],
        priority: 'critical',
        line: 2,
      },
    );
  });

  test('apply in the order of Falco: local files after the rules, rules.d last, changes after the items they change', () => {
    const sources = [
      { name: '/etc/falco/rules.d/a.yaml', text: `${HEAD}- macro: m\n  condition: (proc.name = c)\n` },
      {
        name: '/etc/falco/falco_rules.local.yaml',
        text: `${HEAD}- macro: m\n  condition: (proc.name = b)\n- list: l\n  append: true\n  items: [y]\n`,
      },
      {
        name: '/etc/falco/falco_rules.yaml',
        text: `${HEAD}- macro: m\n  condition: (proc.name = a)\n${rule('r', 'm or proc.name in (l)')}`,
      },
      { name: '/etc/falco/z.yaml', text: `${HEAD}- list: l\n  items: [x]\n` },
    ];
    const set = compileRules({ sources, catalogue, kinds });
    assert.deepEqual(messagesOf(set), []);
    assert.deepEqual(
      ['a', 'b', 'c', 'x', 'y'].filter((name) => matching(set, exec(name)).length > 0),
      ['c', 'x', 'y'],
    );
  });

  test('with an error keep their former version when they are reloaded', () => {
    const base = { name: 'falco_rules.yaml', text: `${HEAD}- list: l\n  items: [a]\n${rule('r', 'proc.name in (l)')}` };
    const local = (text: string) => ({ name: 'falco_rules.local.yaml', text: HEAD + text });
    const before = compileRules({
      sources: [base, local('- list: l\n  append: true\n  items: [b]\n')],
      catalogue,
      kinds,
    });
    const { set, refused } = updateRules(before, [local('- rule: r\n  append: true\n  condition: and prc.name = x\n')]);
    assert.deepEqual(refused, ['falco_rules.local.yaml']);
    assert.deepEqual(
      ['a', 'b'].map((name) => matching(set, exec(name))),
      [['r'], ['r']],
    );
    const next = updateRules(before, [local('- list: l\n  append: true\n  items: [c]\n')]);
    assert.deepEqual(
      ['b', 'c'].map((name) => matching(next.set, exec(name))),
      [[], ['r']],
    );
  });

  test('switch a rule on or off by its name', () => {
    const set = load(`${HEAD}${rule('r', 'proc.name = a')}`, `${HEAD}- rule: r\n  enabled: false\n`);
    assert.deepEqual([messagesOf(set), set.rules], [[], []]);
  });

  const wrong: readonly (readonly [problem: string, text: string, message: RegExp])[] = [
    ['append to nothing', '- rule: zz\n  append: true\n  condition: and x', /there is no rule 'zz' to change/],
    ['append nothing', '- rule: r\n  append: true', /this rule appends nothing/],
    ['append nothing to a list', '- list: l\n  append: true', /this list appends nothing/],
    ['override nothing', '- macro: zz\n  condition: x\n  override: { condition: replace }', /there is no macro 'zz'/],
    [
      'append and override',
      '- list: l\n  items: []\n  append: true\n  override: { items: append }',
      /exclude each other/,
    ],
    [
      'override with another word',
      '- list: l\n  items: []\n  override: { items: prepend }',
      /either appended to or replaced/,
    ],
    [
      'append to a priority',
      '- rule: r\n  priority: INFO\n  override: { priority: append }',
      /'priority' of a rule can't be appended to/,
    ],
    ['override a key without a value', '- rule: r\n  override: { output: replace }', /has no 'output'/],
    [
      'have a key that override leaves out',
      '- rule: r\n  output: x\n  desc: y\n  override: { desc: replace }',
      /doesn't say what to do with 'output'/,
    ],
    [
      'break a condition by appending',
      '- rule: r\n  append: true\n  condition: and prc.name = x',
      /unknown field 'prc.name'/,
    ],
    ['are no rule at all', '- rule: r2\n  desc: x\n  source: syscall', /this rule has no 'condition'/],
    [
      'have a priority that is none',
      rule('p', 'proc.name = x').replace('WARNING', 'HIGH'),
      /'HIGH' is not a valid priority/,
    ],
    [
      'have a priority that is a part of every object',
      rule('p', 'proc.name = x').replace('WARNING', 'constructor'),
      /'constructor' is not a valid priority/,
    ],
  ];
  for (const [problem, text, message] of wrong) {
    test(`get a diagnostic on the right line when they ${problem}`, () => {
      const errors = load(
        `${HEAD}- list: l\n  items: [x]\n${rule('r', 'proc.name in (l)')}`,
        `${HEAD}${text}`,
      ).diagnostics;
      assert.equal(errors.length, 1, JSON.stringify(errors));
      const [{ severity, file, message: words, line }] = errors as [(typeof errors)[number]];
      assert.match(words, message);
      assert.deepEqual([severity, file], ['error', 'b_rules.yaml']);
      assert.ok(line >= 2);
    });
  }

  test('have errors of the priority and of the condition reported at once', () => {
    const { rules, diagnostics } = load(`${HEAD}${rule('r', 'proc.nme = x').replace('WARNING', 'HIGH')}`);
    assert.deepEqual(rules, []);
    assert.deepEqual(diagnostics.map(({ code }) => code).sort(), ['unknown-field', 'value']);
  });

  test('unsupported sources, plugins, keys and newer engines give warnings and are left out', () => {
    const set = load(`
- required_engine_version: 999
- required_plugin_versions:
    - name: container
      version: 0.4.0
    - name: k8saudit
      version: 0.7.0
      alternatives: [{ name: k8saudit-eks, version: 0.4.0 }]
    - { name: other, version: 1.0.0, alternatives: [{ name: container, version: 0.1.0 }] }
- rule: audit
  desc: x
  condition: ka.verb = create
  output: x %ka.user.name
  priority: INFO
  source: k8s_audit
- somthing: else
- rule: r
  desc: x
  condition: proc.name = x
  output: x
  priority: info
  maturity: stable
  warn_evttypes: false
  capture: true
  capture_duration: 5000
- rule: lenient
  desc: x
  condition: proc.nme = x
  output: x
  priority: info
  skip-if-unknown-filter: true
`);
    assert.deepEqual(messagesOf(set), [
      "a:2: warning: this file requires version 0.999.0 of Falco's engine; the supported version is 0.62.0",
      "a:6: warning: this file needs the plugin 'k8saudit' or 'k8saudit-eks' of Falco, and plugins don't run here",
      "a:15: warning: rule 'audit' can't match: no event here has the source 'k8s_audit'",
      "a:16: warning: unknown item 'somthing' is ignored",
      "a:22: warning: unknown key 'maturity' in a rule is ignored",
      "a:28: warning: unknown field 'proc.nme'",
    ]);
    assert.deepEqual(
      set.rules.map(({ name }) => name),
      ['r'],
    );
  });

  for (const version of ['17', '0.57.0', '"0.62.0"']) {
    test(`may require version ${version} of the engine`, () =>
      assert.deepEqual(messagesOf(load(`- required_engine_version: ${version}\n${rule('r', 'proc.name = x')}`)), []));
  }
  test('get an error for an invalid version', () =>
    assert.match(messagesOf(load('- required_engine_version: new\n'))[0]!, /a:1: error: 'new' is not a version/));

  test('outputs may transform fields, and have %container.info', () => {
    const output = '*%toupper(proc.name) (x=%proc.aname[2]) %basename(proc.exepath)) 100% %container.info';
    const set = load(`${HEAD}${rule('r', 'proc.name = a').replace('output: o', `output: "${output}"`)}`);
    assert.deepEqual(messagesOf(set).slice(0, 1), ["a:5: error: unknown field 'container.name'"]);
    const known = load(
      `${HEAD}${rule('r', 'proc.name = a').replace('output: o', `output: "${output.replace(' %container.info', '')}"`)}`,
    );
    const event = exec('a', { 'proc.aname[2]': 'sshd', 'process.executable': '/usr/bin/a' });
    assert.equal(formatOutput(known.rules[0]!, event), 'A (x=sshd) a) 100%');
  });
});
