import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readGiven } from '../src/events/given.ts';
import { GivenError } from '../src/events/given-fields.ts';
import { Judge } from '../src/events/judge.ts';

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
- rule: Variable
  condition: event.action = connect and process.env_vars[MODE] = x
- rule: Raw
  condition: event.action = open and file.raw_path = ../x and falco.fd.nameraw = ../x
- rule: Raw target
  condition: event.action = rename and file.raw_target_path = y
- rule: Unshared
  condition: event.action = unshare and process.capabilities.before.effective = CAP_SYS_ADMIN and user.before.id = 5
- rule: Cron written
  condition: event.action = rename and file.target_path startswith /etc/cron.d/ and container.id exists
`;

describe('a written event', () => {
  const judge = new Judge([{ name: 'rules.yaml', text: RULES }]);
  for (const [title, rule, events] of [
    [
      'is executed by the process, parent and user in its fields',
      'Shell of a server',
      [{ 'event.action': 'exec', 'process.name': 'sh', 'process.parent.name': 'nginx', 'user.name': 'ann' }],
    ],
    [
      'belongs to the process of the previous event if it names the same process',
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
      'with a message is a log line',
      'Failed login',
      [{ message: 'Failed password for root from 203.0.113.7 port 4711 ssh2', 'log.syslog.appname': 'sshd' }],
    ],
    [
      'has variables of its process whatever the event',
      'Variable',
      [{ 'event.action': 'connect', 'process.name': 'x', 'process.env_vars[MODE]': 'x', 'destination.ip': '10.0.0.1' }],
    ],
    [
      'has its path as it was passed',
      'Raw',
      [{ 'event.action': 'open', 'process.name': 'x', 'file.path': '/x', 'file.raw_path': '../x' }],
    ],
    [
      'has its second path as it was passed',
      'Raw target',
      [{ 'event.action': 'rename', 'process.name': 'x', 'file.raw_target_path': 'y' }],
    ],
    [
      'has credentials of before',
      'Unshared',
      [
        {
          'event.action': 'unshare',
          'process.name': 'x',
          'process.capabilities.before.effective': ['CAP_SYS_ADMIN'],
          'user.before.id': 5,
        },
      ],
    ],
    [
      'has fields set directly if no system call produces them',
      'Module',
      [{ 'event.action': 'module_load', 'process.name': 'insmod', 'kernel.module.name': 'rootkit' }],
    ],
    [
      'may use aliases of fields, and may happen in a container',
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

  test('passes through the enricher, which produces the fields that it names', () => {
    const fields = {
      'event.action': 'exec',
      'process.executable': '/usr/bin/python3.12',
      'process.command_line': 'python3 -c "import pty"',
      'process.working_directory': '/var/www',
      'process.env_vars[LD_PRELOAD]': '/tmp/x.so',
      'process.stdin.network': 'true',
      'process.exec.memfd': 'true',
      'process.parent.executable': '/usr/sbin/apache2',
      'process.parent.server.port': '80',
      'process.parent.server.local_port': '8081',
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

  test('happens at the time that its after sets', () => {
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
    const [first = 0, second = 0] = judge
      .judge([given({ 'event.action': 'fork' }), given({ after: '90s' }), given({ 'event.action': 'fork' })])
      .events.map(({ document }) => Date.parse(String(document['@timestamp'])));
    assert.ok(second - first >= 90_000 && second - first < 100_000, `${second - first}`);
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
