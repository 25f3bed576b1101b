import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile, exec, matches } from './support.ts';

const rule = (name: string, source: string, detection: string): string =>
  `title: ${name}\nname: ${name}\nlogsource: { product: linux, ${source} }\ndetection: ${detection}\n---\n`;
const started = rule('started', 'category: process_creation', '{ k: { Image|startswith: / }, condition: k }');
const unrelated = rule('other', 'category: process_creation', '{ k: { Image: /bin/x }, condition: k }');
const impossible = rule(
  'impossible',
  'category: process_creation',
  '{ a: { ParentImage: /a }, b: { ParentImage: /b }, condition: a and b }',
);
const elsewhere = rule('elsewhere', 'category: process_creation', '{ k: { Image: /a }, condition: k }').replace(
  'linux',
  'windows',
);
const broken = rule('broken', 'category: process_creation', '{ k: { Image: /a }, condition: l }');

/** Returns a correlation behind the rules; its own lines count from 1. */
function correlation(rules: string, type: string, more: readonly string[]): string {
  return [`${rules}title: c`, 'name: c', 'correlation:', `  type: ${type}`, '  timespan: 1m', ...more, ''].join('\n');
}

/** Returns the diagnostics of the correlation, with line and column. */
function messages(rules: string, type: string, ...more: string[]): string[] {
  const before = rules.split('\n').length - 1;
  const { diagnostics } = compile(correlation(rules, type, more));
  return diagnostics
    .filter(({ line }) => line > before)
    .map(({ severity, line, column, message }) => `${severity} ${line - before}:${column} ${message}`);
}

describe('a correlation that can never match', () => {
  test("because no event fits a rule that it needs is reported at the rule's name, and at the rule with the reason", () => {
    const of = '  rules: [impossible]';
    assert.deepEqual(messages(impossible, 'event_count', of, '  condition: { gte: 2 }'), [
      "warning 6:11 rule 'c' can never match: no event fits 'impossible'",
    ]);
    assert.deepEqual(messages(started + impossible, 'temporal', '  rules: [started, impossible]'), [
      "warning 6:20 rule 'c' can never match: no event fits 'impossible'",
    ]);
    const combined = correlation(started + impossible, 'event_count', [
      '  rules: [impossible, started]',
      '  condition: { gte: 2 }',
    ]);
    const { diagnostics, ...set } = compile(combined);
    assert.deepEqual(
      diagnostics.map(({ line, column, message }) => [line, column, message]),
      [[9, 12, "rule 'impossible' can never match: tolower(process.parent.executable) can't be both at once"]],
    );
    assert.deepEqual(matches(compile(combined), exec('/bin/x'), exec('/bin/x')), ['c'], 'one is enough');
    assert.equal(set.rules.length, 1);
  });

  test('because a rule never fires here gives a warning, unless the correlation does not need the rule', () => {
    const alone = ['  rules: [elsewhere]', '  condition: { gte: 2 }'];
    const never = "rule 'c' never fires here, as 'elsewhere' never does";
    assert.deepEqual(messages(elsewhere, 'event_count', ...alone), [`warning 6:11 ${never}`]);
    assert.deepEqual(messages(elsewhere + started, 'temporal', '  rules: [started, elsewhere]'), [
      `warning 6:20 ${never}`,
    ]);
    const outer = '---\ntitle: d\ncorrelation: { type: temporal, rules: [c, started], timespan: 1m }';
    assert.deepEqual(messages(elsewhere + started, 'event_count', ...alone, outer), [
      `warning 6:11 ${never}`,
      "warning 10:40 rule 'd' never fires here, as 'c' never does",
    ]);
    const any = correlation(elsewhere + started, 'event_count', [
      '  rules: [elsewhere, started]',
      '  condition: { gte: 2 }',
    ]);
    assert.deepEqual(matches(compile(any), exec('/bin/x'), exec('/bin/x')), ['c']);
    assert.deepEqual(
      messages(elsewhere + started, 'event_count', '  rules: [elsewhere, started]', '  condition: { gte: 2 }'),
      [],
    );
  });

  test('because a rule has errors is an error', () => {
    assert.deepEqual(messages(broken, 'event_count', '  rules: [broken]', '  condition: { gte: 2 }'), [
      "error 6:11 'broken' has errors",
    ]);
  });

  test('because no event has a field that joins its rules is reported at the field; counted events without it form one group', () => {
    const groups = '  group-by: [User, destination.ip]';
    assert.deepEqual(messages(started + unrelated, 'temporal', '  rules: [started, other]', groups), [
      "warning 7:20 rule 'c' can never match: no event of 'started' has 'destination.ip'",
    ]);
    assert.deepEqual(messages(started, 'event_count', '  rules: [started]', groups, '  condition: { gte: 2 }'), [
      "warning 7:20 rule 'c' does not group events: no event of its rules has 'destination.ip'",
    ]);
    assert.deepEqual(
      messages(started, 'event_count', '  rules: [started]', '  group-by: [User]', '  condition: { gte: 2 }'),
      [],
    );
  });

  test('because no event has the counted field, or the field has too few values, is reported at the field', () => {
    const counts = (field: string, group: string, bound: string): string[] =>
      messages(
        started,
        'value_count',
        '  rules: [started]',
        `  group-by: [${group}]`,
        `  condition: { field: ${field}, ${bound} }`,
      );
    const never = "warning 8:23 rule 'c' can never match:";
    assert.deepEqual(counts('destination.ip', 'User', 'gte: 2'), [
      `${never} no event of its rules has 'destination.ip'`,
    ]);
    assert.deepEqual(counts('User', 'User', 'gte: 2'), [
      `${never} it counts 2 different values of user.name, by which it groups events`,
    ]);
    assert.deepEqual(counts('User', 'User', 'eq: 2'), [
      `${never} it counts 2 different values of user.name, by which it groups events`,
    ]);
    assert.deepEqual(counts('process.exec.snapshot', 'User', 'gte: 3'), [
      `${never} it counts 3 different values of process.exec.snapshot, which is true or false`,
    ]);
    assert.deepEqual(counts('User', 'User', 'lt: 2'), []);
    assert.deepEqual(counts('Image', 'User', 'gte: 2'), []);
  });

  test('because it needs more rules than it has, one of them named twice, is reported', () => {
    const twice = ['  rules: [started, started, other]', '  condition: { gte: 3 }'];
    assert.deepEqual(messages(started + unrelated, 'temporal', ...twice), []);
    const three = ['  rules: [started, started, other, other]', '  condition: { gte: 3 }'];
    assert.deepEqual(messages(started + unrelated, 'temporal', ...three), [
      "warning 6:11 rule 'c' can never match: it needs 3 rules, but only 2 can match",
    ]);
  });
});
