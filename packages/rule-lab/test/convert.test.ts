import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { compileDetectorRules, readRuleFiles } from '@ringfence/detector';
import { convertRules } from '../src/convert.ts';

test('a conversion of the built-in rules returns the built-in rules', async () => {
  const sources = await readRuleFiles([join(import.meta.dirname, '../../../rules')]);
  const { text, rules, diagnostics } = convertRules(sources);
  assert.deepEqual(diagnostics, []);
  assert.equal(rules.length, compileDetectorRules(sources, 'hunt').rules.length);
  assert.ok(text.length < 2 * sources.reduce((sum, source) => sum + source.text.length, 0));
  assert.equal(convertRules([{ name: 'again', text }]).text, text);
});

test('rules with errors are omitted and reported', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../rules/impact.yaml'), 'utf8');
  const { rules, diagnostics } = convertRules([{ name: 'impact.yaml', text }]);
  assert.deepEqual(rules, ['Fork storm at its limit']);
  assert.ok(diagnostics.some(({ code, severity }) => code === 'unknown-macro' && severity === 'error'));
});

const yardsticks = process.env['RINGFENCE_YARDSTICKS'] ?? join(import.meta.dirname, '../../../../shared/yardsticks');

/** Every condition is unchanged: `convertRules` would throw otherwise. */
for (const [language, count] of [
  ['falco', 25],
  ['sigma', 107],
] as const) {
  const folder = join(yardsticks, language);
  const skip = existsSync(folder) ? false : `no ${folder}: RINGFENCE_YARDSTICKS names the folder`;
  test(`all ${count} rules of the yardstick in ${language} are converted`, { skip }, async () => {
    const { rules, diagnostics } = convertRules(await readRuleFiles([folder]));
    assert.equal(rules.length, count);
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === 'error'),
      [],
    );
  });
}

test('macros with the same name in two languages, outputs, and disabled rules are preserved', () => {
  const native = `- macro: shell
  condition: process.name in (sh, bash)
- rule: ours
  condition: event.action = exec and shell
- rule: both steps
  condition: sequence by user.name with maxspan=1m [ event.action = exec and shell ] [ event.action = connect ]
`;
  const falco = `- macro: shell
  condition: (proc.name = zsh)
- rule: theirs
  desc: d
  condition: evt.type = execve and shell
  output: "50% of %%user %proc.name.%user.name:%proc.aname[2]x %proc.name (%user.uid) %%"
  priority: INFO
- rule: off
  desc: d
  condition: evt.type = execve and shell
  output: "%proc.name"
  priority: INFO
  enabled: false
`;
  const sources = [
    { name: 'falco.yaml', text: falco },
    { name: 'native.yaml', text: native },
  ];
  const { text, rules, switchedOff } = convertRules(sources);
  assert.deepEqual([rules, switchedOff], [['theirs', 'off', 'ours', 'both steps'], 1]);
  assert.match(text, /rule: off\n[^-]*enabled: false\n/);
  assert.match(text, /output: "50%% of %%user %falco\.proc\.name\.%user\.name:%falco\.proc\.aname\[2\]x /);
  assert.match(text, /rule: ours\n.*\n {2}condition: event\.action = exec and process\.name in \('sh', 'bash'\)\n/);
  assert.deepEqual(
    compileDetectorRules([{ name: 'a', text }]).rules.map(({ name }) => name),
    ['theirs', 'ours', 'both steps'],
  );
});

test('correlations that count by a value without a native field are omitted and reported', () => {
  const rule = (name: string): string => `title: ${name}
name: ${name}
logsource: { product: linux, category: process_creation }
detection: { it: { Image|endswith: /${name} }, condition: it }
level: low
---
`;
  const correlation = (title: string, rest: string): string => `title: ${title}
correlation: { rules: [one, two, three], timespan: 5m, ${rest} }
level: high
`;
  const text = [
    rule('one') +
      rule('two') +
      rule('three') +
      correlation('two of three', 'type: temporal, group-by: [User], condition: { gte: 2 }'),
    correlation(
      'by alias',
      'type: event_count, group-by: [who], aliases: { who: { one: User, two: CommandLine, three: User } }, condition: { gte: 3 }',
    ),
    correlation('all', 'type: temporal, group-by: [User]'),
  ].join('---\n');
  const { rules, diagnostics } = convertRules([{ name: 'c.yml', text }]);
  assert.ok(rules.includes('all'));
  assert.deepEqual(
    diagnostics.map(({ code, item, severity, line }) => [code, item, severity, line]),
    [
      ['no-native-form', 'two of three', 'error', 19],
      ['no-native-form', 'by alias', 'error', 23],
    ],
  );
});
