import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile, type Event, exec, matches } from './support.ts';

function fires(selection: string, event: Event, tags = ''): boolean {
  const set = compile(
    `title: T\ntags: [${tags}]\nlogsource: { product: linux, service: auditd }\ndetection:\n  sel: { ${selection} }\n  condition: sel\n`,
  );
  assert.deepEqual(set.diagnostics, []);
  return matches(set, event).length === 1;
}

const opened = (path: string, write = false): Event => ({
  kind: 'open',
  values: { 'file.path': path, 'file.open.write': write, 'process.executable': '/usr/bin/x', 'process.name': 'x' },
});
const call = (kind: string, action: string, values: Event['values'] = {}): Event => ({
  kind,
  values: { 'event.action': action, 'process.executable': '/opt/x', ...values },
});

describe("auditd's records are our own events", () => {
  test('a rule on a path means reads only if its tactic takes knowledge, or it has none', () => {
    const selection = 'type: PATH, name: /etc/ld.so.preload';
    const file = '/etc/ld.so.preload';
    assert.equal(fires(selection, opened(file), 'attack.persistence, attack.t1574.006'), false);
    assert.equal(fires(selection, opened(file, true), 'attack.persistence, attack.t1574.006'), true);
    assert.equal(fires(selection, opened(file), 'attack.discovery'), true);
    assert.equal(fires(selection, opened(file)), true);
  });

  test("a watch's key adds nothing to its path, and names nothing by itself", () => {
    assert.equal(fires('type: PATH, name: /etc/x, key: watched', opened('/etc/x', true)), true);
    assert.equal(fires('type: PATH, name: /etc/x, key: watched', opened('/etc/y', true)), false);
  });

  const cases: readonly (readonly [selection: string, event: Event, fires: boolean])[] = [
    ["type: EXECVE, a0: nc, a1: '-e'", exec('nc -e /bin/sh'), true],
    ['type: execve, a2|endswith: sh', exec('nc -e /bin/sh'), true],
    ['type: EXECVE, a0: nc', opened('/x'), false],
    [
      'type: SYSCALL, comm: insmod, exe: /usr/bin/kmod',
      exec('/sbin/insmod x', { 'process.executable': '/usr/bin/kmod' }),
      true,
    ],
    ['type: SYSCALL, exe: /bin/sh', exec('sh', { 'process.executable': '/usr/bin/sh' }), true],
    ['type: SYSCALL, exe: /opt/x', call('socket', 'socket'), false],
    ['type: SYSCALL, SYSCALL: socket, exe: /opt/x', call('socket', 'socket'), true],
    [
      'SYSCALL: socket, a0: 26, a1: 5',
      call('socket', 'socket', { 'ringfence.socket.family': 'AF_ALG', 'ringfence.socket.type': 'seqpacket' }),
      true,
    ],
    ['SYSCALL: socket, a0: 2', call('socket', 'socket', { 'ringfence.socket.family': 'AF_ALG' }), false],
    [
      "type: SOCKADDR, saddr|contains: 'authencesn('",
      call('socket', 'bind', { 'ringfence.socket.algorithm': 'aead/authencesn(hmac(sha256),cbc(aes))' }),
      true,
    ],
    ['SYSCALL: [execve, execveat], euid: 33', exec('id', { 'user.effective.id': 33 }), true],
    ['syscall: 59, euid: 33', exec('id', { 'user.effective.id': 33 }), true],
    ['syscall: 429', call('mount_change', 'move_mount'), true],
    ['SYSCALL: 429', call('mount_change', 'mount'), false],
    ['syscall: 135, a0: 40000', call('isolation', 'personality', { 'isolation.persona': 0x40000 }), true],
    ['syscall: personality, a0: 40000', call('isolation', 'personality', { 'isolation.persona': 0 }), false],
    ['SYSCALL: dup2, exit: 0', call('redirect', 'redirect', { 'evt.type': 'dup2', 'event.result': 0 }), true],
    ['SYSCALL: dup2', call('redirect', 'redirect', { 'evt.type': 'dup3' }), false],
    ['SYSCALL: setgroups', call('credentials', 'credentials'), true],
    ['SYSCALL: ptrace', call('process_access', 'ptrace'), true],
    ['SYSCALL: syslog, a0: [4, 5, 6]', call('system_change', 'syslog', { 'system.argument[0]': 5 }), true],
    ['type: PATH, name: /etc/audit/*', opened('/etc/audit/audit.rules'), true],
    ['type: PATH, name: /etc/audit/*', opened('/ETC/audit/audit.rules'), false],
    ['type: PATH, name: /var/run/x.pid', opened('/run/x.pid'), true],
    [
      'type: PATH, name: /etc/shadow, success: yes',
      { ...opened('/etc/shadow'), values: { ...opened('/etc/shadow').values, 'event.outcome': 'failure' } },
      false,
    ],
    [
      'type: PATH, name: /new',
      call('file_change', 'rename', { 'file.path': '/old', 'file.target_path': '/new' }),
      true,
    ],
    [
      'type: PATH, nametype: DELETE, name|endswith: .log',
      call('file_change', 'unlink', { 'file.path': '/var/log/a.log' }),
      true,
    ],
    [
      'type: [TTY, USER_TTY], data|contains: passwd',
      call('shell_line', 'shell_line', { 'ringfence.shell.line': 'cat /etc/passwd' }),
      true,
    ],
    ['type: ADD_USER', call('log', 'user-created', { message: 'new user' }), true],
    ['type: SERVICE_STOP, unit: [firewalld, ufw]', exec('systemctl stop ufw', { 'process.name': 'systemctl' }), true],
    ['type: SERVICE_STOP, unit: [firewalld, ufw]', exec('systemctl start ufw', { 'process.name': 'systemctl' }), false],
    ["'|all': [grep, password]", exec('grep -r password /'), true],
  ];
  for (const [selection, event, wanted] of cases)
    test(`${selection} ${wanted ? 'is' : "isn't"} ${event.kind} ${JSON.stringify(event.values['process.command_line'] ?? event.values['event.action'] ?? event.values['file.path'])}`, () =>
      assert.equal(fires(selection, event), wanted));

  test('of reads match only if the rule names the beginning or the end of the path', () => {
    const filtered = [{ kind: 'open', fields: ['file.path'] as [string], given: { 'file.open.write': false } }];
    const text = (name: string): string =>
      `title: T\nlogsource: { product: linux, service: auditd }\ndetection:\n  sel: { type: PATH, ${name} }\n  condition: sel\n`;
    const bounded = compile(text('name: /etc/issue'), { filtered });
    const wide = compile(text('name|contains: issue'), { filtered });
    assert.deepEqual([...bounded.diagnostics, ...wide.diagnostics], []);
    assert.deepEqual(matches(bounded, opened('/etc/issue')), ['T']);
    assert.deepEqual(matches(wide, opened('/etc/issue')), []);
    assert.deepEqual(matches(wide, opened('/etc/issue', true)), ['T']);
  });
});
