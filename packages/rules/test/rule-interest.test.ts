import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FilteredEvents } from '../src/interest/rule-interest.ts';
import type { RuleSet } from '../src/rule-set.ts';
import { compile, compileCondition } from './support/compile.ts';
import type { TestEvent } from './support/events.ts';

const opens: FilteredEvents = { kind: 'open', fields: ['file.path'], executable: 'process.executable' };
const filtered = [opens];

/** Returns the prefixes, then the names after `…` and the executables after `!`; null if any path is wanted. */
function paths(condition: string): readonly string[] | null | undefined {
  return shown(compileCondition(condition, '', { filtered }));
}

function shown({ interest }: RuleSet<TestEvent>, filter = 0): readonly string[] | null | undefined {
  const paths = interest.paths[filter];
  if (paths === undefined || paths.unbounded.length > 0) return paths && null;
  return [...paths.prefixes, ...paths.names.map((name) => `…${name}`), ...paths.executables.map((name) => `!${name}`)];
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
    ['connection.state = established', ['connect']],
    ['connection.state = unheard-of', []],
    ['connection.state in (unheard-of, closed)', ['connect']],
    ['connection.state != unheard-of', ['connect']],
    ['toupper(connection.state) = CLOSED', ['connect']],
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
    ['file.path = /etc/passwd', ['…passwd']],
    ['file.path in (/etc/passwd, /etc/shadow)', ['…passwd', '…shadow']],
    ['file.path = /etc/', ['/etc/']],
    ['file.path pmatch (/etc/cron.d, /etc)', ['/etc']],
    ['file.path startswith /etc/ and file.path endswith .conf', ['/etc/']],
    ['file.path startswith /etc/ and file.path in (/etc/a, /etc/b)', ['…a', '…b']],
    ['file.path startswith /etc/ and file.path startswith (/etc/a/, /etc/b/)', ['/etc/a/', '/etc/b/']],
    ["file.path glob '/home/*/.ssh/*'", ['/home/']],
    ["file.path glob '/home/*/.ssh/id_[re]sa'", ['/home/']],
    ["file.path glob '/home/*/.ssh/id_rsa'", ['…id_rsa']],
    ["file.path glob '*/.ssh/*'", null],
    ["file.path glob '*/.aws/credentials'", ['…credentials']],
    ['file.path endswith (/.aws/credentials, /.kube/config)', ['…config', '…credentials']],
    ['file.path endswith (/.aws/credentials, .conf)', null],
    ['file.path endswith /', null],
    ['file.name in (id_rsa, id_dsa)', ['…id_dsa', '…id_rsa']],
    ['file.name startswith id_', null],
    ['file.name = a/b', null],
    ["file.name = ''", null],
    ['basename(file.path) = id_rsa', ['…id_rsa']],
    ['file.directory = /etc/ssh', ['/etc/ssh']],
    ['file.directory endswith /.ssh', null],
    ['file.path startswith /proc/ and (file.name = mem or file.name = environ and user.id = 0)', ['…environ', '…mem']],
    ['file.path startswith /proc/ or file.name = id_rsa', ['/proc/', '…id_rsa']],
    ['file.path startswith /root and (file.name = id_rsa or file.name endswith _key)', ['/root']],
    ['file.path != /etc/passwd', null],
    ['file.name not in (a, b)', null],
    ['file.path not startswith /etc', null],
    ['not file.path = /etc/passwd and event.action = open', null],
    ['tolower(file.path) startswith /etc', null],
    ['tolower(basename(file.path)) = id_rsa', null],
    ['file.path = /a or (file.path = /b and user.id = 0)', ['…a', '…b']],
    ['file.path = /a or user.id = 0', null],
    [
      'event.action = open and process.name in (nginx, php-fpm) and not file.path startswith /var/www',
      ['!nginx', '!php-fpm'],
    ],
    ['event.action = open and proc.name = nginx', ['!nginx']],
    ['event.action = open and process.executable in (/usr/sbin/nginx, /opt/nginx)', ['!nginx']],
    ['event.action = open and proc.exepath endswith /nginx', ['!nginx']],
    ["event.action = open and process.executable glob '/usr/*/nginx'", ['!nginx']],
    ['event.action = open and basename(process.executable) = nginx', ['!nginx']],
    ['event.action = open and process.name != nginx', null],
    ['event.action = open and process.name startswith php', null],
    ['event.action = open and process.executable startswith /opt/', null],
    ['event.action = open and process.executable in (/usr/sbin/nginx, /opt/)', null],
    ['event.action = open and tolower(process.name) = nginx', null],
    ['event.action = open and process.parent.name = nginx', null],
    ["event.action = open and process.name = '\\\\xff'", null],
    ['file.path = /a or event.action = open and process.name = x', ['…a', '!x']],
    ['file.path = /a and process.name = x', ['…a']],
    ['file.path startswith / and process.name = x', ['!x']],
    ['file.path startswith /usr and process.name = x', ['!x']],
    ['file.path startswith /usr/lib and process.name = x', ['/usr/lib']],
    ['process.name = x and process.executable in (/a/x, /b/y)', ['!x']],
    ['event.action = exec', []],
    ["file.path startswith ''", null],
    // Bytes that are not UTF-8 are shown as \xNN, so a backslash in a rule may stand for another byte.
    ["file.path startswith '/tmp/\\\\xff'", ['/tmp/']],
    ["file.name = '\\\\xff'", null],
    ["file.path = '/tmp/\\\\xff'", ['/tmp/']],
  ];
  for (const [condition, expected] of table) {
    test(`${condition} can match ${expected === null ? 'any path' : expected.join(' ') || 'no path'}`, () =>
      assert.deepEqual(paths(condition), expected));
  }

  test('has the whole paths that conditions name, on writes too, but not exceptions and parts of paths', () => {
    const rules = [
      'file.path in (/etc/shadow, /srv/b) and not file.path = /srv/exception',
      'event.action = open and file.write and (file.path = /srv/a or file.name = c)',
      'file.path startswith /srv/prefix and file.path != /srv/other and tolower(file.path) = /srv/lower',
      "file.path = '/tmp/\\\\xff' or file.path = relative or file.directory = /srv/d",
    ];
    const text = rules.map((condition, at) => `- rule: r${at}\n  condition: ${JSON.stringify(condition)}\n`).join('');
    const set = compile(text, { filtered: [{ ...opens, given: { 'file.write': false } }] });
    assert.deepEqual(set.interest.paths[0]?.files, ['/etc/shadow', '/srv/a', '/srv/b']);
  });

  test('is the union over all rules', () => {
    const set = compile(
      '- rule: a\n  condition: file.path = /etc/passwd\n- rule: b\n  condition: file.path pmatch (/etc)\n- rule: c\n  condition: file.path startswith (/root/x, /etc/x)\n',
      { filtered },
    );
    assert.deepEqual(shown(set), ['/etc', '/root/x', '…passwd']);
  });

  test('covers only filtered events: reads, since writes are always sent', () => {
    const rules =
      '- rule: a\n  condition: file.write and file.path endswith .so\n- rule: b\n  condition: file.path = /etc/shadow\n';
    assert.deepEqual(compile(rules).interest.paths, []);
    const [all] = compile(rules, { filtered }).interest.paths;
    assert.deepEqual(
      all?.unbounded.map(({ name }) => name),
      ['a'],
    );
    assert.deepEqual(shown(compile(rules, { filtered: [{ ...opens, given: { 'file.write': false } }] })), ['…shadow']);
  });

  test('is separate for each filter, for every field with a path', () => {
    const connects: FilteredEvents = { kind: 'connect', fields: ['destination.ip', 'process.executable'] };
    const filtered = [opens, connects];
    const each = (condition: string) => {
      const set = compileCondition(condition, '', { filtered: filtered });
      return [shown(set), shown(set, 1)];
    };
    assert.deepEqual(each('file.path = /etc/passwd or event.action = connect and process.executable pmatch (/opt)'), [
      ['…passwd'],
      ['/opt'],
    ]);
    assert.deepEqual(each('event.action = connect and file.path = /x or event.action = connect and user.id = 0'), [
      [],
      null,
    ]);
    const { diagnostics } = compileCondition('user.id = 0', '', { filtered: filtered });
    assert.equal(diagnostics.length, 1, 'once, though it is unbounded on both');
  });

  test('is empty for events that pass whatever their path', () => {
    const some = { ...opens, except: { 'process.name': ['a', 'b'] } };
    const left = (condition: string) => shown(compileCondition(condition, '', { filtered: [some] }));
    assert.deepEqual(left('event.action = open and process.name = a'), []);
    assert.deepEqual(left('event.action = open and process.name in (a, b)'), []);
    assert.deepEqual(left('event.action = open and process.name = a or file.path startswith /x'), ['/x']);
    assert.deepEqual(left('event.action = open and process.name in (a, c)'), ['!a', '!c']);
    assert.equal(left('event.action = open and process.name != a'), null);
    assert.equal(left('event.action = open and process.name startswith a'), null);
    assert.equal(left('event.action = open and tolower(process.name) = a'), null);
  });

  test('a rule that can match any path gets a warning at its place', () => {
    const set = compile(
      '- rule: a\n  condition: file.path = /x\n- rule: b\n  condition: file.name startswith id_\n- rule: c\n  condition: nonsense\n',
      { filtered },
    );
    assert.deepEqual(
      set.diagnostics.map(({ severity, code, item, line }) => [severity, code, item, line]),
      [
        ['warning', 'unfiltered', 'b', 3],
        ['error', 'unknown-macro', 'c', 6],
      ],
    );
    assert.match(set.diagnostics[0]!.message, /rule 'b' makes the sensor send every open/);
  });
});
