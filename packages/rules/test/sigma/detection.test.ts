import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { render } from '../../src/diagnostics/diagnostics.ts';
import { compile, exec, line, matches, rule } from './support.ts';

const SELECTIONS = `
sel_a:
    CommandLine|contains: alpha
sel_b:
    CommandLine|contains: beta
other:
    - CommandLine|contains: gamma
    - Image: /bin/delta
      CommandLine|contains: four
_hidden:
    CommandLine|contains: omega
`;

function holds(condition: string, commandLine: string, values = {}): boolean {
  const set = compile(rule(`${SELECTIONS.trim()}\ncondition: ${condition}`));
  assert.deepEqual(
    set.diagnostics.filter(({ severity, code }) => severity === 'error' || code !== 'unused'),
    [],
  );
  return matches(set, exec(commandLine, values)).length === 1;
}

/** Condition → [events it holds on, events it does not]. */
const CONDITIONS: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
  sel_a: [['alpha'], ['beta']],
  'sel_a and sel_b': [['alpha beta'], ['alpha']],
  'sel_a AND NOT sel_b': [['alpha'], ['alpha beta']],
  'sel_a or sel_b and other': [
    ['alpha', 'beta gamma'],
    ['beta', 'gamma'],
  ],
  '(sel_a or sel_b) and other': [['alpha gamma'], ['alpha', 'gamma']],
  'not sel_a and sel_b': [['beta'], ['alpha beta']],
  'not (sel_a and sel_b)': [['alpha', 'x'], ['alpha beta']],
  '1 of sel_*': [['alpha', 'beta'], ['gamma']],
  'any of sel_*': [['beta'], ['gamma']],
  'all of sel_*': [['alpha beta'], ['alpha']],
  '1 of them': [['gamma', 'alpha'], ['omega']],
  'all of them': [['alpha beta gamma'], ['alpha beta']],
  '1 of *_a': [['alpha'], ['beta']],
  '1 of s*l_*b': [['beta'], ['alpha']],
  'sel_a and not 1 of _hid*': [['alpha'], ['alpha omega']],
  'sel_a and not _hidden': [['alpha'], ['alpha omega']],
  '[sel_a, sel_b and other]': [['alpha', 'beta gamma'], ['beta']],
};

describe('a condition of a Sigma rule', () => {
  for (const [condition, [fits, not]] of Object.entries(CONDITIONS)) {
    test(condition, () => {
      for (const text of fits) assert.equal(holds(condition, text), true, text);
      for (const text of not) assert.equal(holds(condition, text), false, text);
    });
  }

  test('takes any mapping of a list, and all keys of a mapping', () => {
    assert.equal(holds('other', 'four', { 'process.executable': '/bin/delta' }), true);
    assert.equal(holds('other', 'four', { 'process.executable': '/bin/x' }), false);
  });

  test('is negated plainly: an absent field satisfies the negation', () => {
    const set = compile(
      rule('sel:\n    Image|endswith: /sh\nfilter:\n    ParentImage: /sbin/init\ncondition: sel and not filter'),
    );
    assert.deepEqual(matches(set, exec('/bin/sh')), ['Test']);
    assert.deepEqual(matches(set, exec('/bin/sh', { 'process.parent.executable': '/sbin/init' })), []);
  });
});

const LOGS = 'title: Test\nlogsource: { product: linux, service: syslog }\ndetection:\n';

describe('keywords', () => {
  test('are searched anywhere in the line without regard to case, with wildcards', () => {
    const set = compile(`${LOGS}  keywords: [stopping iptables, 'user * added']\n  condition: keywords\n`);
    const lines = ['x STOPPING iptables y', 'the User bob ADDED', 'stopping ip tables'].map((text) => line(text));
    assert.equal(matches(set, ...lines).length, 2);
  });

  test('match whole words, and parts only at wildcards and other characters', () => {
    const fits = (keyword: string, text: string): boolean =>
      matches(compile(`${LOGS}  k: ['${keyword}']\n  condition: k\n`), line(text)).length === 1;
    for (const [keyword, text] of [
      ['dd', 'run: dd if=x'],
      ['dd', 'dd'],
      ['if=', 'dd if=y'],
      ['pass*', 'the passwords'],
      ['a.b', 'x A.B y'],
      ['exec 3<>/dev/tcp/', 'exec 3<>/dev/tcp/10.0.0.1/80'],
    ] as const)
      assert.equal(fits(keyword, text), true, `${keyword}: ${text}`);
    for (const [keyword, text] of [
      ['dd', 'git add if=x'],
      ['password', 'the passwords'],
      ['a.b', 'axb'],
    ] as const)
      assert.equal(fits(keyword, text), false, `${keyword}: ${text}`);
  });

  test('must all be there with |all, and may be regular expressions', () => {
    const all = compile(`${LOGS}  k:\n    '|all': [one, two]\n  condition: k\n`);
    assert.equal(matches(all, line('two and one'), line('one')).length, 1);
    const re = compile(`${LOGS}  k:\n    '|re': ['p[0-9]+$']\n  condition: k\n`);
    assert.equal(matches(re, line('x p12'), line('p12 x')).length, 1);
  });

  test('may be beside mappings in a list', () => {
    const set = compile(`${LOGS}  k: [word, { program: sshd }]\n  condition: k\n`);
    const events = [line('a word'), line('x', { 'log.syslog.appname': 'sshd' }), line('x')];
    assert.equal(matches(set, ...events).length, 2);
  });
});

function messages(text: string): string[] {
  return compile(text).diagnostics.map((found) => render(found, text));
}

describe('an error in a Sigma rule is reported with its place', () => {
  const cases: Readonly<Record<string, readonly [detection: string, message: RegExp]>> = {
    'a modifier': [
      'sel:\n    Image|endwith: x\ncondition: sel',
      /:7:15: error: unknown modifier 'endwith'[\s\S]*Did you mean 'endswith'/,
    ],
    'a field': ['sel:\n    Imag: x\ncondition: sel', /:7:9: error: unknown field 'Imag'[\s\S]*Did you mean 'Image'/],
    'a selection': [
      'sel:\n    Image: x\ncondition: sell',
      /:8:16: error: unknown selection 'sell'[\s\S]*\^[\s\S]*Did you mean 'sel'/,
    ],
    'a pattern of selections': ['sel:\n    Image: x\ncondition: 1 of bar*', /no selection fits 'bar\*'/],
    'an old aggregation': [
      'sel:\n    Image: x\ncondition: sel | count() by User > 5',
      /aggregations in conditions[\s\S]*correlation/,
    ],
    'an unfinished condition': ['sel:\n    Image: x\ncondition: sel and', /ends too early/],
    'a parenthesis': ['sel:\n    Image: x\ncondition: (sel', /expected '\)'/],
    'two conditions without a word between them': ['sel:\n    Image: x\ncondition: sel sel', /expected 'and', 'or'/],
    'no condition': ['sel:\n    Image: x', /no 'condition'/],
    'an empty selection': ['sel: {}\ncondition: sel', /selection is empty/],
    'a selection that nothing uses': [
      'sel:\n    Image: x\nfoo:\n    Image: y\ncondition: sel',
      /:8:5: warning: the condition doesn't use 'foo'/,
    ],
    'a regular expression': [
      "sel:\n    Image|re: 'a(?=b)'\ncondition: sel",
      /:7:19: error: the regular expression can't be used/,
    ],
    'a network': ['sel:\n    ProcessGuid|cidr: 300.1.1.1/8\ncondition: sel', /expected a network/],
    'a number': ['sel:\n    LogonId|gt: many\ncondition: sel', /expected a number/],
    'text below another': ['sel:\n    Image|gt: 5\ncondition: sel', /compared as a number/],
    'modifiers that exclude each other': ['sel:\n    Image|re|cidr: x\ncondition: sel', /'cidr' can't be used here/],
    'a flag without a regular expression': ['sel:\n    Image|i: x\ncondition: sel', /'i' works only with 're'/],
    'wildcards in base64': [
      "sel:\n    CommandLine|base64|contains: 'a*'\ncondition: sel",
      /wildcards can't be encoded/,
    ],
    'a mapping where values belong': ['sel:\n    Image: { a: b }\ncondition: sel', /compared with text, found a map/],
    'a field that is never there': [
      'sel:\n    Company: x\ncondition: sel',
      /warning: 'Company' is never available here: only Windows/,
    ],
  };
  for (const [title, [detection, message]] of Object.entries(cases)) {
    test(title, () => assert.match(messages(rule(detection)).join('\n') || 'nothing', message));
  }

  test('a rule that only lacks a branch is active all the same', () => {
    const set = compile(rule('a:\n    Company: x\nb:\n    Image: /bin/x\ncondition: a or b'));
    assert.deepEqual(matches(set, exec('/bin/x')), ['Test']);
  });
});
