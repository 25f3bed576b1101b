import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile, compileCondition } from './support/compile.ts';

function prefixes(condition: string): readonly string[] | null | undefined {
  return compileCondition(condition).interest.pathPrefixes.get('file.path');
}

describe('interest in kinds', () => {
  const table: readonly (readonly [condition: string, kinds: readonly string[]])[] = [
    ['file.path = /etc/passwd', ['open']],
    ['event.action = exec and process.name = sh', ['exec']],
    ['event.action in (exec, exit) and process.name = sh', ['exec', 'exit']],
    ['event.action != tick and event.action not in (fork, exec, exit, credentials)', ['open', 'connect']],
    ['file.path = /etc/passwd or destination.port = 80', ['open', 'connect']],
    ['not file.path = /x and event.action = exec', ['exec']],
    ['file.path = /etc/passwd and destination.port = 80', []],
    ['process.name = sh and user.id = 0', ['fork', 'exec', 'exit', 'credentials', 'open', 'connect', 'tick']],
  ];
  for (const [condition, expected] of table) {
    test(`${condition} can hold on ${expected.join(', ') || 'nothing'}`, () => {
      const set = compileCondition(condition);
      assert.deepEqual(set.interest.kinds, expected);
      assert.deepEqual(set.rules[0]?.kinds, expected);
    });
  }
});

describe('interest in paths', () => {
  const table: readonly (readonly [condition: string, expected: readonly string[] | null])[] = [
    ['file.path = /etc/passwd', ['/etc/passwd']],
    ['file.path in (/etc/passwd, /etc/shadow)', ['/etc/passwd', '/etc/shadow']],
    ['file.path pmatch (/etc/cron.d, /etc)', ['/etc']],
    ['file.path startswith /etc/ and file.path endswith .conf', ['/etc/']],
    ['file.path startswith /etc/ and file.path in (/etc/a, /etc/b)', ['/etc/']],
    ["file.path glob '/home/*/.ssh/*'", ['/home/']],
    ["file.path glob '*/.ssh/*'", null],
    ['file.path endswith .conf', null],
    ['file.path != /etc/passwd', null],
    ['file.path not startswith /etc', null],
    ['not file.path = /etc/passwd and event.action = open', null],
    ['tolower(file.path) startswith /etc', null],
    ['file.path = /a or (file.path = /b and user.id = 0)', ['/a', '/b']],
    ['file.path = /a or process.name = x', null],
    ['event.action = exec', []],
    ["file.path startswith ''", null],
  ];
  for (const [condition, expected] of table) {
    test(`${condition} can match ${expected === null ? 'any path' : expected.join(' ') || 'no path'}`, () =>
      assert.deepEqual(prefixes(condition), expected));
  }

  test('is that of all rules together', () => {
    const set = compile(
      '- rule: a\n  condition: file.path = /etc/passwd\n- rule: b\n  condition: file.path pmatch (/etc)\n- rule: c\n  condition: file.path = /root/x\n',
    );
    assert.deepEqual(set.interest.pathPrefixes.get('file.path'), ['/etc', '/root/x']);
  });

  test('can be asked for part of the events: reads, when writes come anyway', () => {
    const set = compile(
      '- rule: a\n  condition: file.write and file.path endswith .so\n- rule: b\n  condition: file.path = /etc/shadow\n',
    );
    assert.deepEqual(set.pathPrefixes({ field: 'file.path', kind: 'open' }), null);
    assert.deepEqual(set.pathPrefixes({ field: 'file.path', kind: 'open', given: { 'file.write': false } }), [
      '/etc/shadow',
    ]);
  });
});
