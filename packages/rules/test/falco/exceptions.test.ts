import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTestEvent, HEAD, load, matching, messagesOf, rule } from './support.ts';

const exec = (name: string, args = '') => createTestEvent('exec', { 'process.name': name, 'proc.args': args });
const withExceptions = (exceptions: string): string =>
  `${HEAD}- list: known\n  items: [k1, k2]\n${rule('r', 'evt.type = execve', `  exceptions:\n${exceptions}`)}`;
/** Returns the events, as name or name/arguments, that the rule does not match. */
function excepted(set: ReturnType<typeof load>, events: readonly string[]): string[] {
  assert.deepEqual(messagesOf(set), []);
  return events.filter((event) => matching(set, exec(...(event.split('/') as [string, string?]))).length === 0);
}

describe('exceptions', () => {
  test('of one field are values, compared by in', () => {
    const set = load(withExceptions('    - { name: e, fields: proc.name, values: [a, b, known, "c d"] }'));
    assert.deepEqual(excepted(set, ['a', 'b', 'k2', 'c d', 'x']), ['a', 'b', 'k2', 'c d']);
  });

  test('of several fields are rows, compared by =', () => {
    const set = load(withExceptions('    - { name: e, fields: [proc.name, proc.args], values: [[a, "1"], [b, "2"]] }'));
    assert.deepEqual(excepted(set, ['a/1', 'a/2', 'b/2', 'b']), ['a/1', 'b/2']);
  });

  test('may name their operators, and have lists in a row', () => {
    const set = load(
      withExceptions(
        '    - { name: e, fields: [proc.name, proc.args], comps: [in, startswith], values: [[[a, known], -c], [known, -d], ["(b)", -e]] }',
      ),
    );
    assert.deepEqual(excepted(set, ['a/-c x', 'k1/-c', 'k1/-d', 'a/-d', 'b/-e', 'x/-c']), [
      'a/-c x',
      'k1/-c',
      'k1/-d',
      'b/-e',
    ]);
  });

  test('of one field may have another operator', () => {
    const set = load(
      withExceptions(
        '    - { name: e, fields: proc.args, comps: contains, values: [-x] }\n    - { name: f, fields: [proc.name], values: [[q]] }',
      ),
    );
    assert.deepEqual(excepted(set, ['a/a -x', 'q', 'a/y']), ['a/a -x', 'q']);
  });

  test('without values exclude nothing, and can get values from another file', () => {
    const base = withExceptions(
      '    - { name: e, fields: [proc.name, proc.args], comps: [=, contains] }\n    - { name: f, fields: proc.name, values: [z] }',
    );
    assert.deepEqual(excepted(load(base), ['a/1', 'z']), ['z']);
    const appended =
      '- rule: r\n  append: true\n  exceptions:\n    - { name: e, values: [[a, 1]] }\n    - { name: g, fields: proc.name, values: [y] }\n';
    assert.deepEqual(excepted(load(base, appended), ['a/1', 'z', 'y', 'b/1']), ['a/1', 'z', 'y']);
    const overridden = appended.replace('  append: true\n', '').concat('  override: { exceptions: append }\n');
    assert.deepEqual(excepted(load(base, overridden), ['a/1', 'z', 'y', 'b/1']), ['a/1', 'z', 'y']);
    const replaced =
      '- rule: r\n  exceptions:\n    - { name: n, fields: proc.name, values: [n] }\n  override: { exceptions: replace }\n';
    assert.deepEqual(excepted(load(base, replaced), ['z', 'n']), ['n']);
  });

  test('apply to a condition with "or" as a whole', () => {
    const text = `${HEAD}${rule('r', 'proc.name = a or proc.name = b', '  exceptions: [{ name: e, fields: proc.args, values: [no] }]\n')}`;
    assert.deepEqual(excepted(load(text), ['a/no', 'b/no', 'a/x']), ['a/no', 'b/no']);
  });

  const wrong: readonly (readonly [problem: string, exceptions: string, message: RegExp])[] = [
    [
      'a row too short',
      '    - { name: e, fields: [proc.name, proc.args], values: [[a]] }',
      /has 2 fields, but 1 values here/,
    ],
    ['an unknown field', '    - { name: e, fields: prc.name, values: [a] }', /unknown field 'prc.name'/],
    [
      'an unknown operator',
      '    - { name: e, fields: proc.name, comps: like, values: [a] }',
      /unknown operator 'like'/,
    ],
    [
      'as many comps as fields missing',
      '    - { name: e, fields: [proc.name, proc.args], comps: [=], values: [[a, b]] }',
      /2 fields and 1 comps/,
    ],
    ['no name', '    - { fields: proc.name, values: [a] }', /has no name/],
    ['no fields', '    - { name: e, values: [a] }', /there is no exception 'e'/],
    ['an unknown key', '    - { name: e, fields: proc.name, value: [a] }', /unknown key 'value'/],
    ['text for a list', '    all', /must be a list/],
  ];
  for (const [problem, exceptions, message] of wrong) {
    test(`with ${problem} are reported at their place, and the rule is left out`, () => {
      const set = load(withExceptions(exceptions));
      assert.equal(set.diagnostics.length, 1, JSON.stringify(set.diagnostics));
      assert.match(set.diagnostics[0]!.message, message);
      assert.ok(set.diagnostics[0]!.line >= 4);
      assert.deepEqual(set.rules, []);
    });
  }
});
