import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile, createTestEvent, holds, matches } from './support/compile.ts';

const LISTS = `
- list: shells
  items: [bash, sh]
- list: interpreters
  items: [python3, shells]
- macro: shell
  condition: process.name in (shells)
- macro: in_container
  condition: container.image exists
- macro: container_shell
  condition: shell and in_container
`;

const ISSUE_RULE = `rule: 'Suspicious Process Execution'
desc: 'Detect shell spawned in production container'
condition: execve.args.filename in ['/bin/sh', '/bin/bash'] and container.image not in ['debug-tools:latest']
action: alert
`;

describe('the rule of the documentation', () => {
  const asList = `- ${ISSUE_RULE.trimEnd().replaceAll('\n', '\n  ')}\n`;
  for (const [form, text] of [
    ['a single mapping', ISSUE_RULE],
    ['a list', asList],
  ] as const) {
    test(`loads and fires as written, as ${form}`, () => {
      const set = compile(text);
      assert.deepEqual(set.diagnostics, []);
      const shell = { 'execve.args.filename': '/bin/sh' };
      const name = 'Suspicious Process Execution';
      assert.deepEqual(matches(set, createTestEvent('exec', { ...shell, 'container.image': 'nginx:1.29' })), [name]);
      assert.deepEqual(
        matches(set, createTestEvent('exec', { ...shell, 'container.image': 'debug-tools:latest' })),
        [],
      );
      assert.deepEqual(
        matches(set, createTestEvent('exec', { 'execve.args.filename': '/bin/ls', 'container.image': 'nginx' })),
        [],
      );
      assert.deepEqual(
        matches(set, createTestEvent('exec', shell)),
        [],
        'a process of the host has no image to compare',
      );
      assert.deepEqual(set.rules[0]?.kinds, ['exec']);
      assert.equal(set.rules[0]?.priority, 'warning');
      assert.equal(set.rules[0]?.action, 'alert');
    });
  }
});

describe('conditions', () => {
  const exec = createTestEvent('exec', {
    'process.name': 'bash',
    'process.executable': '/usr/bin/bash',
    'process.command_line': 'bash -c "Curl http://x | sh"\nsecond line',
    'process.args': ['bash', '-c', 'x'],
    'process.parent.name': 'bash',
    'proc.aname[2]': 'nginx',
    'container.image': 'nginx:1.29',
    'container.label[app]': 'web',
    'container.privileged': false,
    'user.id': 1000,
  });
  const connect = createTestEvent('connect', {
    'process.name': 'nc',
    'destination.ip': '10.1.2.3',
    'destination.port': 4444,
  });
  const connect6 = createTestEvent('connect', { 'destination.ip': 'fe80::1', 'destination.port': 80 });

  const table: readonly (readonly [condition: string, event: typeof exec, expected: boolean])[] = [
    ['process.name = bash', exec, true],
    ["process.name == 'bash'", exec, true],
    ['process.name="bash"', exec, true],
    ['proc.name = bash', exec, true],
    ['process.name != bash', exec, false],
    ['process.name not = zsh', exec, true],
    ['process.name in (zsh, bash)', exec, true],
    ["process.name in ['zsh','bash',]", exec, true],
    ['process.name in shells', exec, true],
    ['process.name in (shells)', exec, true],
    ["process.name in ('shells')", exec, false],
    ['process.name in (interpreters)', exec, true],
    ['process.name not in (shells)', exec, false],
    ['not process.name in (shells)', exec, false],
    ['process.name in ()', exec, false],
    ['process.name not in ()', exec, true],
    ['shell', exec, true],
    ['container_shell and not user.id = 0', exec, true],
    ['process.name = x OR shell AND user.id=1000', exec, true],
    ['process.command_line contains curl', exec, false],
    ['process.command_line icontains CURL', exec, true],
    ['process.command_line contains \'http://\' and process.command_line contains "| sh"', exec, true],
    ['process.executable startswith /usr/', exec, true],
    ['process.executable not startswith /usr/', exec, false],
    ['process.executable endswith (zsh, ash)', exec, true],
    ['process.executable glob /usr/*/bash', exec, true],
    ["process.executable glob '*/[ab]a??'", exec, true],
    ['process.executable glob */[ab]a??', exec, true],
    ["process.name in ['bash']", exec, true],
    ['process.name in [bash]', exec, true],
    ['process.name in (runc:[1:CHILD], bash)', exec, true],
    ["process.executable glob '*/[!b]a??'", exec, false],
    ['process.executable iglob /USR/BIN/*', exec, true],
    ['process.executable pmatch (/usr/bin, /opt)', exec, true],
    ['process.executable pmatch /usr/bi', exec, false],
    ['process.executable pmatch (/)', exec, true],
    ['process.command_line regex "(?i)curl\\s+https?://\\S+"', exec, true],
    ['process.command_line regex "x.*second"', exec, true],
    ['process.command_line regex ^sh', exec, false],
    ['process.args = -c', exec, true],
    ['process.args intersects (-x, -c)', exec, true],
    ['process.args not in (-x, -y)', exec, true],
    ['process.args != bash', exec, false],
    ['len(process.args) = 3', exec, true],
    ['basename(process.executable) = bash', exec, true],
    ['toupper(basename(process.executable)) = BASH', exec, true],
    ['process.name = val(process.parent.name)', exec, true],
    ['process.name contains val(process.parent.name)', exec, true],
    ['process.name not endswith val(process.parent.name)', exec, false],
    ['process.name != val(container.image)', exec, true],
    ['process.name = val(process.entity_id)', exec, false],
    ['proc.aname[2] = nginx', exec, true],
    ['proc.aname[ 2 ] exists and proc.aname[3] not exists', exec, true],
    ['container.label[app] = web', exec, true],
    ['user.id = 1000', exec, true],
    ['user.id in (0, 1000)', exec, true],
    ['user.id >= 1000 and user.id < 1001 and user.id > 999 and user.id <= 1000', exec, true],
    ['user.id = 0x3e8', exec, true],
    ['container.privileged', exec, false],
    ['not container.privileged', exec, true],
    ['container.privileged = false', exec, true],
    ['process.entity_id exists', exec, false],
    ['process.entity_id != x', exec, false],
    ['process.entity_id not in (x)', exec, false],
    ['not process.entity_id = x', exec, true],
    ['not (process.entity_id in (x))', exec, true],
    ['event.action = exec', exec, true],
    ['event.action != exec', exec, false],
    ['event.action in (open, connect)', exec, false],
    ['file.path = /etc/passwd', exec, false],
    ['not file.path = /etc/passwd', exec, true],
    ['destination.port = 4444', connect, true],
    ['destination.ip = 10.1.2.3', connect, true],
    ['destination.ip in (10.0.0.0/8, 1.1.1.1)', connect, true],
    ['destination.ip not in (10.0.0.0/8, 1.1.1.1)', connect, false],
    ['destination.ip cidr 10.1.0.0/16', connect, true],
    ['destination.ip not cidr (192.168.0.0/16, 172.16.0.0/12)', connect, true],
    ['destination.ip cidr fe80::/10', connect, false],
    ['destination.ip cidr fe80::/10', connect6, true],
    ['destination.ip = FE80:0::1', connect6, true],
    ['destination.ip cidr 0.0.0.0/0', connect6, false],
    ['(process.name = nc or process.name = ncat) and (destination.port > 1024)', connect, true],
    ['not not process.name = nc', connect, true],
  ];
  for (const [condition, event, expected] of table) {
    test(`${condition} is ${expected} on the ${event.kind} event`, () =>
      assert.equal(holds(condition, event, LISTS), expected));
  }

  test('macros and lists may be defined after their use and in another source', () => {
    const sources = [
      { name: 'a.yaml', text: '- rule: r\n  condition: shell' },
      { name: 'b.yaml', text: LISTS },
    ];
    const set = compile('', { sources });
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, exec), ['r']);
  });

  test('all rules that match are reported, in the order of the rules', () => {
    const set = compile(
      [
        'process.command_line regex "c.rl"',
        'process.name = bash',
        'user.id = 1000',
        'process.executable startswith /usr',
      ]
        .map((condition, i) => `- rule: r${i}\n  condition: ${condition}\n`)
        .join(''),
    );
    assert.deepEqual(matches(set, createTestEvent('exec', { ...exec, 'process.command_line': 'curl' })), [
      'r0',
      'r1',
      'r2',
      'r3',
    ]);
  });

  test('an event of an unlisted kind matches no rule', () => {
    assert.deepEqual(matches(compile('- rule: r\n  condition: not process.name = x'), createTestEvent('martian')), []);
  });
});
