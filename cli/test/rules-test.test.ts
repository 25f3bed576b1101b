import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { paintFor } from '@ringfence/base';
import { GivenError, Judge, readGiven, readTestFile, runTests } from '@ringfence/rule-lab';
import { SyntheticHost as TestHost } from '@ringfence/synthetic';
import { recordingEntry, recordingHeader } from '@ringfence/wire';
import { testRunText } from '../src/rules/test-view.ts';

const plain = paintFor(new Writable());
const given = (fields: Readonly<Record<string, unknown>>) => readGiven(Object.entries(fields));

const RULES = `- rule: Shell of a server
  condition: event.action = exec and process.name = sh and process.parent.name = nginx
  output: "%process.command_line by %process.parent.name as %user.name"
- rule: Scan
  condition: event.action = connect and destination.ip cidr 10.0.0.0/8
  threshold: { distinct: destination.port, at_least: 5, by: [process.entity_id], within: 10s }
- rule: Failed login
  condition: event.action = ssh-login and event.outcome = failure and user.name = root
- rule: Module
  condition: event.action = module_load and kernel.module.name = rootkit
- rule: Cron written
  condition: event.action = rename and file.target_path startswith /etc/cron.d/ and container.id exists
`;
const rules = [{ name: 'rules.yaml', text: RULES }];

async function run(tests: string) {
  return await runTests([{ name: 'a.test.yaml', text: tests }], rules);
}

describe('a written event', () => {
  const judge = new Judge(rules);
  for (const [title, rule, events] of [
    [
      'is executed by the process, parent and user that it names',
      'Shell of a server',
      [{ 'event.action': 'exec', 'process.name': 'sh', 'process.parent.name': 'nginx', 'user.name': 'ann' }],
    ],
    [
      'is of the process of the one before, when it names the same',
      'Scan',
      [
        {
          'event.action': 'connect',
          'process.name': 'nmap',
          'destination.ip': '10.0.0.1',
          'destination.port': '{n}',
          repeat: '5',
        },
      ],
    ],
    [
      'of a log is the line',
      'Failed login',
      [{ message: 'Failed password for root from 203.0.113.7 port 4711 ssh2', 'log.syslog.appname': 'sshd' }],
    ],
    [
      'has what no call gives it laid over it',
      'Module',
      [{ 'event.action': 'module_load', 'process.name': 'insmod', 'kernel.module.name': 'rootkit' }],
    ],
    [
      'may use aliases, and happen in a container',
      'Cron written',
      [
        {
          'evt.type': 'rename',
          'proc.name': 'mv',
          'fd.name': '/tmp/x',
          'evt.arg.target': '/etc/cron.d/x',
          'container.image': 'shop:1',
        },
      ],
    ],
  ] as const) {
    test(title, () => {
      const { alerts } = judge.judge(events.map(given));
      assert.deepEqual(
        alerts.map((alert) => alert.rule),
        [rule],
      );
    });
  }

  test('goes the way of real ones: what it says is what the enricher makes of it', () => {
    const fields = {
      'event.action': 'exec',
      'process.executable': '/usr/bin/python3.12',
      'process.command_line': 'python3 -c "import pty"',
      'process.working_directory': '/var/www',
      'process.env_vars[LD_PRELOAD]': '/tmp/x.so',
      'process.stdin.network': 'true',
      'process.exec.memfd': 'true',
      'process.parent.executable': '/usr/sbin/apache2',
      'process.ancestors.name': ['apache2', 'systemd'],
      'user.id': '33',
      'user.effective.id': '0',
      'user.name': 'root',
      'user.audit.id': '1000',
      'container.name': 'web',
      'container.image.name': 'shop:1.4',
      'container.security_context.privileged': 'true',
      'container.labels[app]': 'shop',
    };
    const [event] = judge.judge([given(fields)]).events;
    assert.deepEqual(event?.laid, []);
    assert.equal(event?.document['process.name'], 'python3.12');
    for (const more of [
      {
        'event.action': 'open',
        'file.path': '/etc/shadow',
        'file.open.read': 'true',
        'file.open.write': 'true',
        'event.outcome': 'failure',
      },
      {
        'event.action': 'connect',
        'destination.ip': 'fe80::1:2',
        'destination.port': '443',
        'network.transport': 'udp',
      },
      { 'event.action': 'accept', 'source.ip': '203.0.113.7', 'source.port': '5555', 'destination.port': '22' },
      {
        'event.action': 'mount',
        'mount.source': '/dev/sda1',
        'mount.target': '/mnt',
        'mount.filesystem': 'ext4',
        'error.code': 'EPERM',
      },
      { 'event.action': 'chmod', 'file.path': '/tmp/x', 'file.mode': '0o4755', 'file.setid': 'true' },
      { 'event.action': 'credentials', 'user.changes.effective.id': '0', 'user.id': '1000' },
      { 'event.action': 'exit', 'process.exit_code': '3' },
      { 'event.action': 'ptrace', 'event.outcome': 'success' },
    ])
      assert.deepEqual(judge.judge([given(more)]).events[0]?.laid, [], JSON.stringify(more));
  });

  test('takes the time that it says', () => {
    const connect = (after: string) => ({
      'event.action': 'connect',
      'process.name': 'nmap',
      'destination.ip': '10.0.0.1',
      'destination.port': '{n}',
      repeat: '5',
      after,
    });
    assert.equal(judge.judge([given(connect('1s'))]).alerts.length, 1);
    assert.equal(judge.judge([given(connect('3s'))]).alerts.length, 0);
    const [first, , second] = judge
      .judge([given({ 'event.action': 'fork' }), given({ after: '90s' }), given({ 'event.action': 'fork' })])
      .events.map(({ document }) => Date.parse(String(document['@timestamp'])));
    assert.equal(second, undefined);
    assert.ok(first !== undefined);
  });

  for (const [fields, message] of [
    [{ 'event.action': 'exec', 'proces.name': 'x' }, /unknown field 'proces\.name'. Did you mean 'process\.name'/],
    [{ 'event.action': 'exce' }, /no event has 'exce'. Did you mean 'exec'/],
    [{ 'process.name': 'x' }, /needs 'event\.action'/],
    [{ 'event.action': 'exec', 'process.exit_code': '1' }, /'process\.exit_code' is on exit, not on exec/],
    [{ 'event.action': 'exec', 'user.id': 'root' }, /'user\.id' is a number/],
    [{ 'event.action': 'exec', 'process.exec.memfd': 'yes' }, /true or false/],
    [{ 'event.action': 'exec', 'process.name': ['a', 'b'] }, /has one value/],
    [{ 'event.action': 'exec', 'process.name[1]': 'a' }, /takes no argument/],
    [{ 'event.action': 'exec', 'proc.name': 'a', 'process.name': 'b' }, /given twice/],
    [{ 'event.action': 'exec', repeat: '100000' }, /from 1 to 10000/],
    [{ 'event.action': 'exec', after: 'soon' }, /no duration/],
  ] as const) {
    test(`${JSON.stringify(fields)} is refused`, () => {
      assert.throws(
        () => given(fields),
        (error) => error instanceof GivenError && message.test(error.message),
      );
    });
  }
});

describe('a table of tests', () => {
  test('passes when what comes is what was expected', async () => {
    const { results, faults } = await run(`rule: Shell of a server
tests:
  - test: fires
    events: { event.action: exec, process.command_line: sh -c id, process.parent.name: nginx, user.name: ann }
    expect: { alerts: 1, output: sh -c id by nginx as ann, priority: warning }
  - test: is quiet
    events: [{ event.action: exec, process.name: sh, process.parent.name: sshd }]
    expect: none
`);
    assert.deepEqual(faults, []);
    assert.deepEqual(
      results.map(({ failures }) => failures),
      [[], []],
    );
  });

  test('that fails says what was expected, what came, and which part of the condition was why', async () => {
    const result = await run(`rule: Shell of a server
tests:
  - test: of apache
    events:
      - { event.action: exec, process.name: ls, process.parent.name: nginx }
      - { event.action: exec, process.name: sh, process.parent.name: apache2 }
    expect: alert
`);
    assert.equal(
      testRunText(result, [], false, plain),
      `✗ Shell of a server · of apache
  a.test.yaml:3
  alerts:
    - expected  one or more
    + came      none
  event 1: exec /usr/bin/ls
    ✗ and
      ✓ event.action = 'exec'   (exec)
      ✗ process.name = 'sh'   (ls)
      ✓ process.parent.name = 'nginx'   (nginx)

0 tests passed, 1 failed`,
    );
  });

  test('that is written wrongly is shown with its line', async () => {
    const text = 'rule: Shell of a server\ntests:\n  - { test: t, events: [{ proces.name: sh }], expect: none }\n';
    assert.equal(
      testRunText(await run(text), [{ name: 'a.test.yaml', text }], false, plain),
      `a.test.yaml:3:27: error: unknown field 'proces.name'. Did you mean 'process.name'?
  3 |   - { test: t, events: [{ proces.name: sh }], expect: none }
    |                           ^

0 tests passed, 0 failed, 1 error in test files`,
    );
  });

  test('plays recordings that lie beside it', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'rf-rules-'));
    const host = new TestHost();
    host.spawn(host.spawn(host.init, '/usr/sbin/nginx'), '/usr/bin/sh');
    const recording = [recordingHeader(new Map([[host.hostId, host.key.publicKey]])), recordingEntry(host.batch())];
    writeFileSync(join(dir, 'attack.rec'), Buffer.concat(recording));
    const text = `tests:\n  - { test: recorded, rule: Shell of a server, recording: attack.rec, expect: 1 }\n`;
    const { results } = await runTests([{ name: join(dir, 'a.test.yaml'), text }], rules);
    rmSync(dir, { recursive: true });
    assert.deepEqual(
      results.map(({ failures, alerts }) => [failures, alerts.length]),
      [[[], 1]],
    );
  });

  test('with an unknown rule fails, and says so', async () => {
    const { results } = await run(
      'tests:\n  - { test: t, rule: Nobody, events: [{ event.action: exec }], expect: none }\n',
    );
    assert.match(results[0]?.failures[0]?.actual ?? '', /there is no rule 'Nobody'/);
  });

  test('of a rule with an error says which', async () => {
    const text = 'tests:\n  - { test: t, rule: Broken, events: [{ event.action: exec }], expect: none }\n';
    const broken = { name: 'b.yaml', text: '- rule: Broken\n  condition: process.nme = sh\n' };
    const { results } = await runTests([{ name: 'a.test.yaml', text }], [...rules, broken]);
    assert.equal(
      results[0]?.failures[0]?.actual,
      "the rule 'Broken' has an error: b.yaml:2:14: unknown field 'process.nme'. Did you mean 'process.name'?",
    );
  });

  test('whose recording is missing or broken fails alone', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'rf-rules-'));
    const host = new TestHost();
    host.spawn(host.init, '/usr/bin/sh');
    const header = recordingHeader(new Map([[host.hostId, host.key.publicKey]]));
    const whole = recordingEntry(host.batch());
    whole.fill(0xff, 40, 80);
    writeFileSync(join(dir, 'broken.rec'), Buffer.concat([header, whole]));
    writeFileSync(join(dir, 'cut.rec'), Buffer.concat([header, whole.subarray(0, 100)]));
    const one = (recording: string): string => `  - { test: ${recording}, recording: ${recording}, expect: none }\n`;
    const last = '  - { test: last, events: [{ event.action: exec, process.name: ls }], expect: none }\n';
    const all = ['missing.rec', 'broken.rec', 'cut.rec', '.'];
    const text = `rule: Shell of a server\ntests:\n${all.map(one).join('')}${last}`;
    const { results } = await runTests([{ name: join(dir, 'a.test.yaml'), text }], rules);
    rmSync(dir, { recursive: true });
    assert.deepEqual(
      results.map(({ failures }) => failures.map(({ of, expected }) => `${of} ${expected}`)),
      [...all.map((name) => [`recording ${name}`]), []],
    );
  });

  for (const [text, message] of [
    ['tests: 5', /1:8 expected 'tests: \[ … \]'/],
    ['a: b', /1:1 unknown key 'a'/],
    ['tests: [', /not valid YAML/],
    ['rule: r\ntests:\n  - { tests: x, events: [], expect: none }', /3:7 unknown key 'tests'. Did you mean 'test'\?/],
    ['rule: r\ntests:\n  - { test: x, expect: none }', /either 'events' or 'recording'/],
    [
      'rule: r\ntests:\n  - { test: x, events: [{ event.action: exec, x.y: 1 }], expect: none }',
      /3:47 unknown field 'x\.y'/,
    ],
    ['rule: r\ntests:\n  - { test: x, events: [{ event.action: exec }], expect: some }', /'expect' is alert, none/],
    ['tests:\n  - { test: x, events: [], expect: none }', /needs 'rule'/],
    ['a: &a [x, x]\nb: &b [*a, *a]\ntests: [*b]', /unknown key/],
  ] as const) {
    test(`${JSON.stringify(text)} is refused where it is wrong`, () => {
      const { tests, faults } = readTestFile('x.test.yaml', text);
      assert.equal(tests.length, 0);
      assert.match(faults.map(({ line, column, message: said }) => `${line}:${column} ${said}`).join('\n'), message);
    });
  }
});
