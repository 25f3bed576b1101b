import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTestEvent, HEAD, holds, load, messagesOf, rule } from './support.ts';

const LISTS = `
- list: inner
  items: [bash, '"(systemd)"', "runc:[1:CHILD]"]
- list: outer
  items: [inner, '"sh -c whoami"', '"sh -c \\"x\\""']
- list: nets
  items: ['"10.0.0.0/8"', '"192.168.0.0/16"']
- macro: spawned
  condition: (evt.type in (execve, execveat))
- macro: is_shell
  condition: (spawned and proc.name in (outer))
`;

describe("conditions in Falco's language", () => {
  const exec = createTestEvent('exec', {
    'process.name': 'bash',
    'process.parent.name': 'BASH',
    'process.executable': '/usr/bin/bash',
    'process.command_line': 'sh -c whoami',
    'proc.args': '-c whoami\n\\',
    'proc.pcmdline': 'Y3VybA==',
    'proc.anames': ['sshd', 'systemd'],
    'proc.tty': 0,
    'evt.num': 7,
    'evt.buffer': '\u0001\\xffPK',
    'k8s.pod.label[app/x]': 'web',
  });
  const connect = createTestEvent('connect', { 'source.ip': '10.0.0.5', 'destination.ip': '8.8.8.8' });
  const open = createTestEvent('open', { 'file.path': '/etc/cron.d/x', 'evt.arg.flags': 'O_RDONLY|O_CLOEXEC' });
  const container = createTestEvent('exec', {
    'container.id': '3ad7b26ded6d',
    'container.mount.dest[/proc*]': ['/host'],
  });

  const table: readonly (readonly [condition: string, event: typeof exec, expected: boolean])[] = [
    ['evt.type = execveat', exec, true],
    ['evt.type in (open, openat2)', open, true],
    ['evt.type in (open,connect) and not evt.type=connect', open, true],
    ['evt.type != open', open, false],
    ['is_shell', exec, true],
    ['not is_shell or evt.num=0', exec, false],
    ['evt.num>=0', exec, true],
    ['proc.name == bash', exec, true],
    ['proc.name in (inner)', createTestEvent('exec', { 'process.name': '(systemd)' }), true],
    ['proc.name in (inner)', createTestEvent('exec', { 'process.name': 'runc:[1:CHILD]' }), true],
    ['proc.cmdline in (outer)', exec, true],
    ['proc.cmdline in (outer)', createTestEvent('exec', { 'process.command_line': 'sh -c "x"' }), true],
    ['proc.args contains "\\n"', exec, true],
    ['proc.args contains -c and proc.args endswith \\', exec, true],
    ['(proc.args contains "\\ " or proc.args endswith \\)', exec, true],
    ['(proc.args contains "\\ " or proc.args endswith \\)', createTestEvent('exec', { 'proc.args': '-s \\ x' }), true],
    ['(proc.args contains "\\ " or proc.args endswith \\)', createTestEvent('exec', { 'proc.args': '-s x' }), false],
    ['proc.name in (run*, r[un]s)', createTestEvent('exec', { 'process.name': 'runs' }), false],
    ["proc.args = ''", createTestEvent('exec', { 'proc.args': '' }), true],
    ["proc.args = ''", createTestEvent('exec'), false],
    ['proc.exepath regex /usr/bin', exec, false],
    ['proc.exepath regex "/usr/bin/[a-z]+"', exec, true],
    ['proc.exepath startswith /usr and proc.exepath endswith ash and proc.exepath icontains BIN', exec, true],
    ['proc.exepath glob /usr/*/ba?h and proc.exepath iglob /USR/*', exec, true],
    ['fd.name pmatch (/etc, /opt)', open, true],
    ['fd.name pmatch (/etc/cro)', open, false],
    ['fd.name pmatch (/*/cron.*)', open, true],
    ['fd.name pmatch (/*.d)', open, false],
    ['not fd.name pmatch (/opt, /*/cron.*)', open, false],
    ['evt.arg.flags contains O_CLOEXEC', open, true],
    ['proc.anames intersects (init, systemd)', exec, true],
    ['proc.aname[2] exists', exec, false],
    ['not proc.aname[2] exists and proc.tty = 0 and proc.tty <= 0 and not proc.tty < 0', exec, true],
    ['evt.buffer bcontains ff504b', exec, true],
    ['evt.buffer bstartswith 01FF', exec, true],
    ['evt.buffer contains "\\xffP"', exec, true],
    ['tolower(proc.pname) = bash and toupper(proc.name) = BASH', exec, true],
    ['tolower(proc.name) = tolower(proc.pname)', exec, true],
    ['proc.name = val(proc.pname)', exec, false],
    ['proc.exepath endswith val(proc.name)', exec, true],
    ['proc.exepath contains tolower(proc.pname)', exec, true],
    ['proc.anames intersects val(proc.name)', exec, false],
    ['b64(proc.pcmdline) = curl and len(proc.name) = 4 and basename(proc.exepath) = bash', exec, true],
    [
      'b64(proc.name) exists or b64(proc.exepath) exists',
      createTestEvent('exec', { 'process.executable': 'a-b' }),
      false,
    ],
    [
      "concat(proc.name, '-', tolower(proc.pname)) = bash-bash and join('/', (proc.name, proc.tty, proc.anames)) = 'bash/0/sshd systemd'",
      exec,
      true,
    ],
    ["toupper(concat(proc.name, 'x')) = BASHX and proc.exepath endswith concat('/', proc.name)", exec, true],
    ['concat(proc.name, fd.name) exists', exec, false],
    ['k8s.pod.label[app/x] = web', exec, true],
    ['k8s.pod.label["app/x"] = web', exec, true],
    ['fd.ip = "8.8.8.8"', connect, true],
    ['fd.ip in (nets)', connect, true],
    ['fd.ip != "10.0.0.5"', connect, false],
    ['fd.ip != "127.0.0.0/8"', connect, true],
    ['fd.ip != "127.0.0.0/8"', createTestEvent('connect'), false],
    ['not fd.ip in (nets)', createTestEvent('connect'), true],
    ['fd.ip exists and not fd.ip in ("9.9.9.9")', connect, true],
    ['container.id = host', exec, true],
    ['container.id != host', exec, false],
    ['container.id != host', container, true],
    ['not container.mount.dest[/proc*] in ("<NA>","N/A")', container, true],
    ['not container.mount.dest[/proc*] in ("<NA>","N/A")', exec, false],
    ['proc.name != "<NA>"', exec, true],
    ['proc.name != "<NA>"', open, false],
    ['proc.name in ("<NA>", zsh)', open, true],
    ['proc.name in ("<NA>", zsh)', exec, false],
    ['proc.name not in ("<NA>", zsh)', exec, true],
    ['proc.name = "N/A"', open, true],
    ['evt.type = dup or proc.name = bash', exec, true],
    ['proc.sname = bash', exec, false],
    ['not proc.sname = bash', exec, true],
    ['proc.name = zsh or proc.name = bash and proc.tty = 0', exec, true],
    ['(proc.name = bash or proc.name = zsh) and not proc.tty = 0', exec, false],
  ];
  for (const [condition, event, expected] of table) {
    test(`${condition} is ${expected} on the ${event.kind} event`, () =>
      assert.equal(holds(condition, event, LISTS), expected));
  }

  test('a condition that can never be true gives one warning per file, with the reason', () => {
    const set = load(
      `${HEAD}${rule('a', 'evt.type = dup and proc.sname = x')}${rule('b', 'proc.sname = y or proc.name = z', '  tags: [x]\n')}`,
    );
    assert.deepEqual(messagesOf(set), [
      "a:4: warning: rule 'a' can never match: a part of it reads a field that is never available",
      "a:4: warning: falco.evt.type is never 'dup': copies are not watched",
      "a:4: warning: 'proc.sname' is never available: sessions are not recorded",
    ]);
    assert.deepEqual(
      set.rules.map(({ name, kinds }) => [name, kinds.length]),
      [
        ['a', 0],
        ['b', 7],
      ],
    );
  });

  test('fields of plugins are never available, misspelled fields are unknown', () => {
    const set = load(
      `${HEAD}${rule('a', 'ka.verb = create or ka.verb = get')}${rule('b', 'prc.name = x')}${rule('c', 'proc.nme = x')}`,
    );
    assert.deepEqual(
      messagesOf(set).filter((line) => !line.includes('can never match')),
      [
        "a:4: warning: 'ka.verb' is never available: fields of 'ka' come from a plugin of Falco, and plugins don't run here",
        "a:9: error: unknown field 'prc.name'",
        "a:14: error: unknown field 'proc.nme'",
      ],
    );
  });
});
