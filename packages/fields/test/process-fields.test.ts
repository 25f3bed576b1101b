import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type EventBatchHead,
  EventBatchWriter,
  EventView,
  entityId,
  type KindName,
  records,
  typeOf,
  U64_ZERO,
  UNSET_ID,
  u64FromBigInt,
} from '@ringfence/wire';
import { catalogue } from '../src/catalogue.ts';
import type { FieldValue } from '../src/field.ts';

const { AF_INET } = records.AddressFamily;
const { ExecFlag: FLAG } = records;
const text = (value: string): object => ({ bytes: Buffer.from(value), length: value.length });
const namespaces = { mnt: 1, pid: 2, net: 3, user: 4, uts: 5, ipc: 6, cgroup: 7, pidInNs: 8 };
const start = u64FromBigInt(0x1122334455667788n);

const CREDENTIALS = {
  ...{ uid: 0, gid: 0, euid: 0, egid: 0, suid: 0, sgid: 0, fsuid: 0, fsgid: 0 },
  ...{ capEffective: U64_ZERO, capPermitted: U64_ZERO, capInheritable: U64_ZERO },
};
/** An exec of /bin/sh */
const EXEC = {
  ...{
    snapshot: false,
    parentTgid: 1,
    parentStart: start,
    inode: U64_ZERO,
    device: 1,
    ctime: 0,
    mtime: 0,
    mode: 0,
    owner: 0,
  },
  ...{
    flags: FLAG.EXEC_UPPER | FLAG.EXEC_FILE_CAPS,
    credentials: CREDENTIALS,
    namespaces,
    loginuid: 0,
    sessionId: 0,
    tty: 0,
    argc: 1,
    stdioSockets: 0,
  },
  ...{ path: text('/bin/sh'), filename: text('/bin/sh'), cwd: text('/'), argv: text('sh') },
  ...{
    environment: text('LD_PRELOAD=/tmp/a.so\0LD_AUDIT=\0ENV=a=b'),
    interpreter: text('/bin/sh'),
    script: text(''),
    scriptInode: U64_ZERO,
    scriptDevice: 0,
    scriptCtime: 0,
  },
};

/** The event as rules see it. */
function view(kind: KindName, body: object): EventView {
  const raw = typeOf('Event').toBuffer({
    ...{ lane: 0, cpu: 0, sequence: 1, ktime: 1, late: false, tgid: 7, tid: 7, start, cgroup: U64_ZERO, execId: 1 },
    body: { [`ringfence.${kind}`]: body },
  } as never);
  const writer = new EventBatchWriter();
  writer.add(-1, -1, -1, -1, '', raw, 0, raw.length);
  const head = typeOf('EventBatch').fromBuffer(typeOf('EventBatch').toBuffer(typeOf('EventBatch').random())) as object;
  const event = new EventView();
  event.open(
    writer.finish({
      ...head,
      processes: [],
      containers: [],
      peers: [],
      hostId: 'h',
      bootId: 'b',
    } as unknown as EventBatchHead),
  );
  assert.ok(event.next());
  return event;
}

function ask(event: EventView, name: string, argument?: string): FieldValue {
  const field = catalogue.fields.find((field) => field.name === name || field.aliases?.includes(name));
  assert.ok(field, name);
  return field.get(event, argument);
}

/** Reads each field of `expected` by its name or an alias. */
function says(event: EventView, expected: { readonly [name: string]: FieldValue }): void {
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(ask(event, name), value, name);
}

test('a signal has its target, identified as in the events of the target', () => {
  const body = { targetStart: start, targetTgid: 42, targetUid: 1000, signal: 9, code: -6, result: 0, count: 3 };
  const event = view('Signal', body);
  says(event, {
    'event.action': 'signal',
    'event.outcome': 'success',
    'evt.arg.pid': 42,
    'process.target.entity_id': entityId('h', 'b', 42, start).toString('hex'),
    'process.target.user.id': 1000,
    'signal.number': 9,
    'evt.arg.sig': 'SIGKILL',
    'signal.code': -6,
    'event.count': 3,
  });
  says(view('Signal', { ...body, targetTgid: 0, targetUid: UNSET_ID, signal: 64, result: -3 }), {
    'event.outcome': 'failure',
    'process.target.pid': undefined,
    'process.target.entity_id': undefined,
    'process.target.user.id': undefined,
    'signal.name': undefined,
  });
});

test('a fault has the address, the instruction and the count', () => {
  const body = {
    address: u64FromBigInt(0xdeadn),
    instruction: u64FromBigInt(0x401000n),
    signal: 31,
    code: 1,
    count: 2,
    systemCall: 102,
  };
  says(view('Fault', body), {
    'signal.name': 'SIGSYS',
    'signal.code': 1,
    'fault.address': '0xdead',
    'fault.instruction': '0x401000',
    'fault.count': 2,
    'fault.system_call': 102,
  });
  says(view('Fault', { ...body, systemCall: -1 }), { 'fault.system_call': undefined });
});

test('an access to another process has its target and its method', () => {
  const body = {
    targetStart: start,
    address: u64FromBigInt(0x1000n),
    length: U64_ZERO,
    targetTgid: 42,
    operation: 1,
    request: 16,
    result: 0,
    count: 1,
  };
  says(view('ProcessAccess', body), {
    'event.action': 'ptrace',
    'evt.type': 'ptrace',
    'evt.arg.request': 'PTRACE_ATTACH',
    'process.target.pid': 42,
    'process.target.address': '0x1000',
  });
  says(view('ProcessAccess', { ...body, operation: 5 }), { 'event.action': 'proc_mem', 'ptrace.request': undefined });
});

test('isolation events name the change', () => {
  const body = { argument: U64_ZERO, namespaces, result: 0, count: 1 };
  const option = (value: bigint): object => ({ option: u64FromBigInt(value) });
  says(view('Isolation', { ...body, ...option(0x1002_0000n), operation: 2 }), {
    'event.action': 'unshare',
    'process.clone.flags': ['CLONE_NEWNS', 'CLONE_NEWUSER'],
    'isolation.option': undefined,
  });
  says(view('Isolation', { ...body, ...option(0x59616d61n), argument: u64FromBigInt(5n), operation: 3 }), {
    'process.clone.flags': undefined,
    'isolation.option': 'PR_SET_PTRACER',
    'isolation.argument': 5,
    'isolation.persona': undefined,
  });
  says(view('Isolation', { ...body, ...option(1n), operation: 4 }), { 'evt.arg.option': 'SECCOMP_SET_MODE_FILTER' });
  says(view('Isolation', { ...body, ...option(0x40000n), operation: 5 }), {
    'event.action': 'personality',
    'isolation.option': undefined,
    'isolation.persona': 0x40000,
    'compat_call.number': undefined,
  });
  says(view('Isolation', { ...body, ...option(362n), argument: u64FromBigInt(3n), operation: 6 }), {
    'event.action': 'compat_call',
    'compat_call.number': 362,
    'compat_call.seen_at': 'connect',
  });
});

test('capabilities, memory protections and fork flags have names', () => {
  const capability = { capability: 21, result: -1, userNamespace: 4, count: 9 };
  says(view('Capability', capability), {
    'capability.name': 'CAP_SYS_ADMIN',
    'event.outcome': 'failure',
    'event.count': 9,
  });
  says(view('Capability', { ...capability, capability: 99 }), { 'capability.name': undefined });
  const memory = {
    ...{ address: u64FromBigInt(0x7f00n), length: u64FromBigInt(4096n), inode: U64_ZERO, device: 0, operation: 2 },
    ...{ result: 0, protection: 6, flags: 2, sourceCaller: false, path: text('/memfd:x'), count: 1 },
  };
  says(view('Memory', memory), {
    'event.action': 'mmap',
    'memory.address': '0x7f00',
    'memory.length': 4096,
    'memory.protection': ['PROT_WRITE', 'PROT_EXEC'],
    'memory.path': '/memfd:x',
  });
  const fork = { parentTgid: 1, parentStart: start, namespaces, flags: u64FromBigInt(0x2000_4100n) };
  says(view('Fork', fork), { 'process.clone.flags': ['CLONE_VM', 'CLONE_VFORK', 'CLONE_NEWPID'] });
});

test('the action of every io_uring operation is among the listed values', () => {
  const { values } = catalogue.fields.find(({ name }) => name === 'event.action')!;
  const listed = new Set<FieldValue>();
  const io = {
    inode: U64_ZERO,
    device: 0,
    result: 0,
    family: AF_INET,
    port: 1,
    address: Buffer.alloc(4),
    path: text('/a'),
  };
  const more = { target: text(''), submissionThread: false, sourceCaller: false, resultUnknown: false };
  for (let opcode = 0; opcode < 64; opcode++)
    for (const flags of [0, 0x200]) listed.add(ask(view('IoUring', { ...io, ...more, opcode, flags }), 'event.action'));
  assert.deepEqual([...listed].toSorted(), values!['io_uring']!.toSorted());
  for (const kind of ['gap', 'tick', 'container_context', 'host_context']) assert.deepEqual(values![kind], []);
});

test('a failed call has its request in fields of its own, never in those of a successful call', () => {
  const attempt = {
    ...{ first: U64_ZERO, second: U64_ZERO, third: U64_ZERO, operation: 2, call: 5, result: -13, sourceCaller: true },
    ...{ count: 1, argvCut: true, path: text('/tmp/./x/../evil'), argv: text('evil\0-v') },
  };
  says(view('Attempt', attempt), {
    'event.action': 'exec_failed',
    'event.outcome': 'failure',
    'event.result': -13,
    'error.code': 'EACCES',
    'evt.type': 'exec_failed',
    'event.category': 'process',
    'attempt.call': 'execve',
    'attempt.path': '/tmp/evil',
    'attempt.name': 'evil',
    'attempt.args': ['evil', '-v'],
    'attempt.args_cut': true,
    'process.clone.flags': undefined,
    'attempt.user.ids': undefined,
    'attempt.capabilities': undefined,
    'event.count': 1,
  });
  const none = { ...attempt, argvCut: false, path: text(''), argv: text('') };
  const stays = u64FromBigInt(0xffff_ffffn);
  says(view('Attempt', { ...none, operation: 1, call: 4, result: -11, count: 9, first: u64FromBigInt(0x1002_0000n) }), {
    'event.action': 'fork_failed',
    'attempt.call': 'clone3',
    'error.code': 'EAGAIN',
    'process.clone.flags': ['CLONE_NEWNS', 'CLONE_NEWUSER'],
    'attempt.path': undefined,
    'attempt.args': undefined,
    'attempt.user.ids': undefined,
    'event.count': 9,
  });
  const resuid = { ...none, operation: 3, call: 14, result: -1, first: stays, third: u64FromBigInt(1000n) };
  says(view('Attempt', resuid), {
    'event.action': 'credentials_failed',
    'attempt.call': 'setresuid',
    'attempt.user.ids': ['0', '1000'],
    'attempt.group.ids': undefined,
    'process.clone.flags': undefined,
  });
  says(view('Attempt', { ...resuid, call: 11, second: stays, third: stays, first: u64FromBigInt(7n) }), {
    'attempt.call': 'setfsgid',
    'attempt.user.ids': undefined,
    'attempt.group.ids': ['7'],
  });
  const sets = { first: u64FromBigInt(1n << 21n), second: u64FromBigInt(1n << 39n), third: U64_ZERO };
  says(view('Attempt', { ...resuid, ...sets, call: 7 }), {
    'attempt.capabilities': ['CAP_SYS_ADMIN', 'CAP_BPF'],
    'attempt.user.ids': undefined,
    'attempt.group.ids': undefined,
  });
});

const ids = (...values: number[]): object => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, id] of values.entries()) bytes.writeUInt32LE(id, 4 * index);
  return { bytes, length: bytes.length };
};

test('supplementary groups are present when a call changed or requested them', () => {
  const credentials = {
    ...{ uid: 5, gid: 5, euid: 5, egid: 5, suid: 5, sgid: 5, fsuid: 5, fsgid: 5 },
    ...{ capEffective: U64_ZERO, capPermitted: U64_ZERO, capInheritable: U64_ZERO },
  };
  const change = { before: credentials, after: credentials };
  says(view('CredentialsChange', { ...change, groupsBefore: ids(4, 0xffff_fffe), groupsAfter: ids() }), {
    'event.action': 'credentials',
    'evt.type': 'setgroups',
    'user.before.group.ids': ['4', '4294967294'],
    'user.changes.group.ids': [],
  });
  says(view('CredentialsChange', { ...change, groupsBefore: ids(), groupsAfter: ids() }), {
    'evt.type': 'capset',
    'user.before.group.ids': undefined,
    'user.changes.group.ids': undefined,
  });
  const attempt = {
    ...{ first: u64FromBigInt(2n), second: U64_ZERO, third: U64_ZERO, operation: 3, call: 16, result: -1 },
    ...{ sourceCaller: true, count: 1, argvCut: false, path: text(''), argv: text(''), groups: ids(0, 27) },
  };
  says(view('Attempt', attempt), {
    'attempt.call': 'setgroups',
    'attempt.group.ids': ['0', '27'],
    'attempt.user.ids': undefined,
  });
});

test('an exec has the selected variables, the interpreter, and the true length of its arguments', () => {
  const event = view('Exec', EXEC);
  says(event, {
    'proc.env': ['LD_PRELOAD=/tmp/a.so', 'LD_AUDIT=', 'ENV=a=b'],
    'process.interpreter': '/bin/sh',
    'proc.is_exe_upper_layer': true,
    'process.exec.file_capabilities': true,
    'process.exec.is_32bit': false,
  });
  says(event, { 'process.args_length': 2, 'process.args_cut': false });
  const cut = { bytes: Buffer.from('sh'), length: 40_000 };
  says(view('Exec', { ...EXEC, argv: cut }), { 'process.args_length': 40_000, 'process.args_cut': true });
  says(view('Exec', { ...EXEC, flags: FLAG.EXEC_32BIT }), { 'process.exec.is_32bit': true });
  assert.deepEqual(ask(event, 'process.env_vars', 'LD_PRELOAD'), ['/tmp/a.so']);
  assert.deepEqual(ask(event, 'process.env_vars', 'ENV'), ['a=b']);
  assert.deepEqual(ask(event, 'process.env_vars', 'LD_AUDIT'), ['']);
  assert.equal(ask(event, 'process.env_vars', 'BASH_ENV'), undefined);
  const bare = view('Exec', { ...EXEC, flags: 0, environment: text(''), interpreter: text('') });
  says(bare, { 'process.env_vars': undefined, 'process.interpreter': undefined, 'process.exec.upper_layer': false });
  const run = { ...EXEC, flags: FLAG.EXEC_SCRIPT, filename: text('./../x/run.sh'), cwd: text('/srv/a') };
  says(view('Exec', run), { 'process.script': '/srv/x/run.sh' });
  says(view('Exec', { ...run, script: text('/tmp/.hidden') }), { 'process.script': '/tmp/.hidden' });
  says(view('Exec', { ...run, flags: 0 }), { 'process.script': undefined });
});

test('a script is known by its interpreter line, or by its name on the command line of its interpreter', () => {
  const NAMED = 'process.named_script';
  const script = (executable: string, ...argv: readonly string[]): FieldValue =>
    ask(view('Exec', { ...EXEC, path: text(executable), cwd: text('/srv/a'), argv: text(argv.join('\0')) }), NAMED);
  for (const [expected, executable, ...argv] of [
    ['/tmp/x.sh', '/bin/dash', 'sh', '/tmp/x.sh', 'argument'],
    ['/srv/x.sh', '/bin/bash', '-bash', '-eu', '-o', 'pipefail', '../x.sh'],
    ['/srv/a/x', '/bin/busybox', 'busybox', 'sh', 'x'],
    ['/srv/a/x', '/bin/busybox', 'sh', '--', 'x'],
    ['/srv/a/x.py', '/usr/bin/python3.13', 'python3', '-u', '-Wignore', '-X', 'dev', 'x.py', '-c', 'code'],
    ['/srv/a/x.pl', '/usr/bin/perl5.40', 'perl', '-w', '-I', 'lib', '-Mstrict', 'x.pl'],
    ['/srv/a/x.php', '/usr/bin/php8.4', 'php', '-d', 'a=e', '-f', 'x.php'],
    ['/srv/a/x.js', '/usr/bin/node', 'node', '-r', './eval.js', 'x.js', '--eval'],
    [undefined, '/bin/bash', 'bash', '-lc', 'echo x'],
    [undefined, '/bin/bash', 'bash', '-s', 'x'],
    [undefined, '/bin/bash', 'bash'],
    [undefined, '/bin/bash', 'bash', '-'],
    [undefined, '/usr/bin/python3', 'python3', '-Im', 'module', 'x'],
    [undefined, '/usr/bin/perl', 'perl', '-wne', 'print', 'x'],
    [undefined, '/usr/bin/less', 'less', '/tmp/x.sh'],
  ] as const)
    assert.equal(script(executable, ...argv), expected, argv.join(' '));
  const run = { ...EXEC, flags: FLAG.EXEC_SCRIPT, script: text('/tmp/.hidden'), argv: text('sh\0./x') };
  says(view('Exec', run), { [NAMED]: '/tmp/.hidden' });
});

test('an open of a file that is recognized by its identity has both paths', () => {
  const open = { inode: U64_ZERO, device: 1, flags: 0, result: 3, mode: 0o100640, sourceCaller: false, count: 1 };
  const event = view('Open', { ...open, path: text('/etc/shadow'), reached: text('/tmp/x'), received: true });
  says(event, {
    'file.path': '/etc/shadow',
    'file.name': 'shadow',
    'file.reached_path': '/tmp/x',
    'file.open.received': true,
  });
  says(view('Open', { ...open, path: text('/a'), reached: text(''), received: false }), {
    'file.reached_path': undefined,
  });
});

test('the type of an opened file has a name', () => {
  const file = { inode: U64_ZERO, device: 1, path: text('/a'), reached: text(''), received: false };
  const open = { ...file, flags: 0, result: 3, sourceCaller: false, count: 1 };
  const types = {
    ...{ S_IFREG: 'file', S_IFDIR: 'dir', S_IFLNK: 'symlink', S_IFCHR: 'character' },
    ...{ S_IFBLK: 'block', S_IFIFO: 'fifo', S_IFSOCK: 'socket' },
  } as const;
  for (const [name, type] of Object.entries(types)) {
    const mode = records.FileMode[name as keyof typeof types] | 0o644;
    says(view('Open', { ...open, mode }), { 'file.type': type, 'file.mode': 0o644 });
  }
  says(view('Open', { ...open, result: -2, mode: 0 }), { 'file.type': undefined, 'file.mode': undefined });
});
