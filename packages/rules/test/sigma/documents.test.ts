import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { updateRules } from '../../src/rule-set.ts';
import { compile, exec, line, matches } from './support.ts';

const ruleNamed = (title: string, command: string, more = ''): string => `title: ${title}
${more}logsource: { product: linux, category: process_creation }
detection:
  sel: { CommandLine|contains: ${command} }
  condition: sel
`;

const messages = (text: string): string[] =>
  compile(text).diagnostics.map(({ severity, message, hint }) => `${severity}: ${message} ${hint}`);

describe('a Sigma file', () => {
  test('of threat hunting is active only in the hunt profile', () => {
    const text = `${ruleNamed('h', 'x', 'tags: [attack.execution, detection.threat-hunting]\n')}---\n${ruleNamed('r', 'x', 'tags: [detection.emerging-threats]\n')}`;
    const event = exec('/bin/x');
    assert.deepEqual(matches(compile(text), event), ['h', 'r']);
    assert.deepEqual(matches(compile(text, { profile: 'recommended' }), event), ['r']);
  });

  test('gives a rule its name, priority and techniques', () => {
    const { rules, diagnostics } = compile(
      ruleNamed(
        'A rule',
        'x',
        `id: 929a690e-bef0-4204-a928-ef5e620d6fcc
name: a_rule
status: experimental
description: |
  What it
  detects.
references: [https://example.org]
author: Somebody
date: 2026-01-01
falsepositives: [Unknown]
level: high
tags: [attack.defense-evasion, attack.defense-impairment, attack.t1059.004, cve.2026-1]
`,
      ),
    );
    assert.deepEqual(diagnostics, []);
    const { name, id, priority, description, tactics, techniques, tags } = rules[0]!;
    assert.deepEqual(
      { name, id, priority, description, tactics, techniques },
      {
        name: 'A rule',
        id: '929a690e-bef0-4204-a928-ef5e620d6fcc',
        priority: 'error',
        description: 'What it\ndetects.',
        tactics: ['stealth', 'defense-impairment'],
        techniques: ['T1059.004'],
      },
    );
    assert.equal(tags.length, 4);
  });

  test('is recognised among native files by its content, and its rules come in the order of the files', () => {
    const native = '- rule: Native\n  condition: process.command_line contains x\n';
    const set = compile('', {
      sources: [
        { name: 'a.yml', text: ruleNamed('First', 'x') },
        { name: 'b.yml', text: native },
        { name: 'c.yml', text: `# a comment\n---\n${ruleNamed('Third', 'x')}` },
      ],
    });
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, exec('x')), ['First', 'Native', 'Third']);
  });

  test('may have several documents; equal titles are distinguished, ids are unique', () => {
    const set = compile(
      [ruleNamed('A', 'x'), ruleNamed('A', 'x', 'id: one\n'), ruleNamed('B', 'x', 'id: one\n')].join('---\n'),
    );
    assert.deepEqual(matches(set, exec('x')), ['A', 'A (one)']);
    assert.match(set.diagnostics[0]?.message ?? '', /already a rule with the id one/);
  });

  test('may share keys between documents: action global, repeat and reset', () => {
    const set = compile(`action: global
title: Common
level: critical
logsource: { product: linux, category: process_creation }
detection:
  condition: sel
---
detection:
  sel: { CommandLine|contains: one }
---
action: repeat
title: Repeated
detection:
  sel: { CommandLine|endswith: two }
---
action: reset
---
${ruleNamed('Own', 'three')}`);
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(
      set.rules.map(({ name, priority }) => `${name} ${priority}`),
      ['Common critical', 'Repeated critical', 'Own warning'],
    );
    assert.deepEqual(matches(set, exec('one'), exec('one two'), exec('two'), exec('three')), [
      'Common',
      'Common',
      'Repeated',
      'Own',
    ]);
  });

  test('with a broken change is refused, and its former version stays', () => {
    const set = compile(ruleNamed('Kept', 'x'));
    const broken = ruleNamed('Kept', 'x').replace('CommandLine', 'ComandLine');
    const update = updateRules(set, [{ name: 'test.yml', text: broken }]);
    assert.deepEqual(update.refused, ['test.yml']);
    assert.deepEqual(matches(update.set, exec('x')), ['Kept']);
    const mended = updateRules(update.set, [{ name: 'test.yml', text: ruleNamed('Mended', 'y') }]);
    assert.deepEqual(matches(mended.set, exec('x'), exec('y')), ['Mended']);
  });

  test('with one broken document keeps the others active', () => {
    const set = compile(`${ruleNamed('Good', 'x')}---\ntitle: Bad\ndetection: [\n---\n${ruleNamed('Fine', 'x')}`);
    assert.deepEqual(matches(set, exec('x')).includes('Good'), true);
    assert.match(set.diagnostics[0]?.message ?? '', /not valid YAML/);
  });

  const wrong: Readonly<Record<string, readonly [string, RegExp]>> = {
    'no title': [ruleNamed('A', 'x').replace('title: A\n', ''), /has a title/],
    'no detection': [ruleNamed('A', 'x').replace('detection', 'detecton'), /no 'detection'.*Did you mean 'detection'/],
    'no log source': ['title: A\ndetection:\n  a: { x: y }\n  condition: a\n', /no 'logsource'/],
    'no such level': [ruleNamed('A', 'x', 'level: hihg\n'), /'hihg' is not a level Did you mean 'high'/],
    'a key that is given twice': [ruleNamed('A', 'x', 'level: low\nlevel: high\n'), /'level' is given twice/],
    'a product that is not here': [
      ruleNamed('A', 'x').replace('linux', 'windows'),
      /warning: rule 'A' never fires here: events of 'windows'/,
    ],
    'a category that is none': [
      ruleNamed('A', 'x').replace('process_creation', 'proces_creation'),
      /never fires here.*Did you mean 'process_creation'/,
    ],
    'a service that is none': [
      ruleNamed('A', 'x').replace('category: process_creation', 'service: sshdd'),
      /no log of 'sshdd'.*Did you mean 'sshd'/,
    ],
  };
  for (const [title, [text, message]] of Object.entries(wrong))
    test(`with ${title} gets an error`, () => assert.match(messages(text).join('\n') || 'nothing', message));
});

const filter = (
  rules: string,
  condition: string,
  source = '{ product: linux, category: process_creation }',
): string => `title: Filter
logsource: ${source}
filter:
  rules: ${rules}
  selection: { User|startswith: adm_ }
  condition: ${condition}
`;

test("errors of a rule's level and detection are reported at once, and the rule is left out", () => {
  const set = compile(
    `${ruleNamed('A', 'x', 'level: hihg\n').replace('condition: sel', 'condition: sell')}---\n${ruleNamed('B', 'x')}`,
  );
  assert.deepEqual(
    set.diagnostics.map(({ message }) => message),
    ["'hihg' is not a level", "unknown selection 'sell'"],
  );
  assert.deepEqual(
    set.rules.map(({ name }) => name),
    ['B'],
  );
});

describe('placeholders', () => {
  const expanded = ruleNamed('A', 'x').replace('CommandLine|contains: x', "User|expand: '%admins%'");
  test('are defined in a separate document, in any file', () => {
    const set = compile('', {
      sources: [
        { name: 'a.yml', text: expanded },
        { name: 'b.yml', text: 'placeholders:\n  admins: [root, adm_*]\n' },
      ],
    });
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, exec('x', { 'user.name': 'adm_bob' }), exec('x')), ['A']);
  });
  test('without values, or with two definitions, are reported', () => {
    assert.match(messages(`placeholders:\n  a: {}\n`).join(), /'%a%' has no values/);
    assert.match(messages(`placeholders:\n  a: x\n---\nplaceholders:\n  a: y\n`).join(), /'%a%' is given twice/);
    assert.match(messages(expanded).join(), /there are no values for the placeholder '%admins%' Add a document/);
  });
});

describe('a filter', () => {
  const rules = [ruleNamed('A', 'x', 'id: id-a\n'), ruleNamed('B', 'x', 'name: name_b\n'), ruleNamed('C', 'x')].join(
    '---\n',
  );
  const fired = (text: string): string[] =>
    matches(compile(`${rules}---\n${text}`), exec('x', { 'user.name': 'adm_bob' }));

  test('narrows the rules it names by id or name', () => {
    assert.deepEqual(fired(filter('[id-a, name_b]', 'not selection')), ['C']);
    assert.deepEqual(matches(compile(`${rules}---\n${filter('[id-a]', 'not selection')}`), exec('x')), ['A', 'B', 'C']);
  });
  test('narrows every rule of its log source if it names "any"', () => {
    assert.deepEqual(fired(filter('any', 'not selection')), []);
    assert.deepEqual(fired(filter('any', 'not selection', '{ category: file_event }')), ['A', 'B', 'C']);
  });
  test('that selects the events to keep gives a warning', () => {
    const { diagnostics } = compile(`${rules}---\n${filter('any', 'selection')}`);
    assert.match(diagnostics.map(({ message }) => message).join(), /keeps only the events that it selects/);
  });
});

const failed = `title: Failed login
name: failed
logsource: { product: linux, service: sshd }
detection: { k: [Failed password], condition: k }
`;
const correlation = (body: string, more = ''): string =>
  `title: Many\nlevel: high\n${more}correlation:\n${body
    .trim()
    .split('\n')
    .map((text) => `  ${text}`)
    .join('\n')}\n`;
const login = (ip: string, user = 'root') =>
  line('Failed password for root', { 'log.syslog.appname': 'sshd', 'source.ip': ip, 'user.name': user });

describe('a correlation', () => {
  test('counts the events of its rules by group, and its rules are silent', () => {
    const set = compile(
      `${failed}---\n${correlation('type: event_count\nrules: [failed]\ngroup-by: [src_ip]\ntimespan: 10s\ncondition: { gte: 3 }')}`,
    );
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, login('1.1.1.1'), login('2.2.2.2'), login('1.1.1.1')), []);
    assert.deepEqual(matches(set, login('1.1.1.1')), ['Many']);
  });
  test('counts the values of a field', () => {
    const set = compile(
      `${failed}---\n${correlation('type: value_count\nrules: failed\ntimespan: 1m\ngroup-by: [src_ip]\ncondition: { field: User, gt: 2 }')}`,
    );
    const by = (user: string) => login('1.1.1.1', user);
    assert.deepEqual(matches(set, by('a'), by('a'), by('b')), []);
    assert.deepEqual(matches(set, by('c')), ['Many']);
  });
  test('lets its rules raise alerts themselves with generate', () => {
    const set = compile(
      `${failed}---\n${correlation('type: event_count\nrules: [failed]\ntimespan: 10s\ncondition: { gte: 2 }', 'generate: true\n')}`,
    );
    assert.deepEqual(matches(set, login('1.1.1.1'), login('2.2.2.2')), ['Failed login', 'Failed login', 'Many']);
  });
  test('with any error lets its rules raise alerts themselves', () => {
    const wrong = {
      'in its condition': 'type: event_count\nrules: [failed]\ntimespan: 10s\ncondition: { atleast: 2 }',
      'in a field that is counted':
        'type: value_count\nrules: [failed]\ntimespan: 10s\ncondition: { field: Nonsense, gte: 2 }',
      'in what it groups by':
        'type: event_count\nrules: [failed]\ngroup-by: [Nonsense]\ntimespan: 10s\ncondition: { gte: 2 }',
    };
    const count = 'type: event_count\nrules: [failed]\ntimespan: 10s\ncondition: { gte: 2 }';
    const texts = Object.entries(wrong).map(([where, body]) => [where, correlation(body)] as const);
    for (const [where, text] of [...texts, ['in its level', correlation(count).replace('high', 'hihg')]] as const) {
      const set = compile(`${failed}---\n${text}`);
      assert.deepEqual([set.diagnostics.length, set.diagnostics[0]?.severity], [1, 'error'], where);
      assert.deepEqual(matches(set, login('1.1.1.1')), ['Failed login'], where);
    }
  });
  test('groups by aliases: for each rule another field', () => {
    const started = ruleNamed('Started', 'nmap', 'name: started\n');
    const body = `type: event_count
rules: [failed, started]
group-by: [who]
timespan: 1m
aliases: { who: { failed: User, started: CommandLine } }
condition: { gte: 2 }`;
    const set = compile([failed, started, correlation(body)].join('---\n'));
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, login('1.1.1.1', 'nmap x'), exec('nmap y')), []);
    assert.deepEqual(matches(set, exec('nmap x')), ['Many']);
  });

  const accepted = failed
    .replace('Failed login', 'Login')
    .replace('name: failed', 'name: accepted')
    .replace('Failed', 'Accepted');
  const enter = (user: string) => line('Accepted password', { 'log.syslog.appname': 'sshd', 'user.name': user });
  const inTime = (type: string, more = ''): string =>
    [
      failed,
      accepted,
      correlation(`type: ${type}\nrules: [failed, accepted]\ngroup-by: [User]\ntimespan: 10s${more}`),
    ].join('---\n');

  test('finds rules that match within a time, in any order', () => {
    const set = compile(inTime('temporal'));
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, enter('ann'), login('1.1.1.1', 'bob')), []);
    assert.deepEqual(matches(set, login('1.1.1.1', 'ann')), ['Many']);
  });
  test('finds rules that match in their order', () => {
    const set = compile(inTime('temporal_ordered'));
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, enter('ann'), login('1.1.1.1', 'ann'), enter('bob')), []);
    assert.deepEqual(matches(set, login('1.1.1.1', 'eve'), enter('eve')), ['Many']);
  });
  test('takes a count of the rules instead of all', () => {
    const third = ruleNamed('Third', 'x', 'name: third\n');
    const body = 'type: temporal\nrules: [failed, accepted, third]\ntimespan: 10s\ncondition: { gte: 2 }';
    const set = compile([failed, accepted, third, correlation(body)].join('---\n'));
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, enter('ann'), enter('ann')), []);
    assert.deepEqual(matches(set, exec('x')), ['Many']);
  });
  test('refers to another: many failures, then a login', () => {
    const many = correlation(
      'type: event_count\nrules: [failed]\ngroup-by: [src_ip]\ntimespan: 5m\ncondition: { gte: 3 }',
      'name: many\n',
    );
    const then = 'type: temporal_ordered\nrules: [many, accepted]\ngroup-by: [User]\ntimespan: 1m';
    const set = compile([failed, accepted, correlation(then).replace('Many', 'Guessed'), many].join('---\n'));
    assert.deepEqual(set.diagnostics, []);
    const [a, b] = [login('1.1.1.1', 'ann'), login('2.2.2.2', 'ann')];
    assert.deepEqual(matches(set, a, b, enter('ann')), []);
    assert.deepEqual(matches(set, a, b, a, enter('ann')), ['Guessed']);
  });
  test('that refers to itself gets an error', () => {
    const text = correlation('type: temporal\nrules: [loop, failed]\ntimespan: 1m', 'name: loop\n');
    assert.match(messages(`${failed}---\n${text}`).join(), /'loop' refers back/);
  });

  const wrong: Readonly<Record<string, readonly [string, RegExp]>> = {
    'a rule that is not there': [
      'type: event_count\nrules: [faild]\ntimespan: 1m\ncondition: { gte: 1 }',
      /'faild' Did you mean 'failed'/,
    ],
    'no such type': [
      'type: event_cuont\nrules: [failed]\ntimespan: 1m\ncondition: { gte: 1 }',
      /not a type of correlation Did you mean 'event_count'/,
    ],
    'a timespan': [
      'type: event_count\nrules: [failed]\ntimespan: 1 hour\ncondition: { gte: 1 }',
      /expected a timespan of up to 7d, found '1 hour'/,
    ],
    'a count of rules from above': [
      'type: temporal\nrules: [failed]\ntimespan: 1m\ncondition: { lt: 5 }',
      /holds from the first event/,
    ],
    'a count of rules to the end': [
      'type: temporal\nrules: [failed, failed, failed]\ntimespan: 1m\ncondition: { eq: 2 }',
      /as soon as 2 of 3 rules/,
    ],
    'more rules than there are': [
      'type: temporal\nrules: [failed, failed]\ntimespan: 1m\ncondition: { gte: 3 }',
      /3 of 2 rules can't match/,
    ],
    'a count that is none': [
      'type: event_count\nrules: [failed]\ntimespan: 1m\ncondition: { gte: 5, lt: 3 }',
      /no count is within/,
    ],
    'a count that is too large': [
      'type: event_count\nrules: [failed]\ntimespan: 1m\ncondition: { gte: 5000000 }',
      /at most 1000000/,
    ],
    'an order without all of its rules': [
      'type: temporal_ordered\nrules: [failed, failed]\ntimespan: 1m\ncondition: { gte: 1 }',
      /temporal_ordered needs all of its rules/,
    ],
    'one rule in time': ['type: temporal\nrules: [failed]\ntimespan: 1m', /takes 2 to 16 rules/],
    'no field to count': ['type: value_count\nrules: [failed]\ntimespan: 1m\ncondition: { gte: 5 }', /needs a field/],
  };
  for (const [title, [body, message]] of Object.entries(wrong))
    test(`with ${title} gets an error`, () =>
      assert.match(messages(`${failed}---\n${correlation(body)}`).join('\n') || 'nothing', message));
});
