import { logBatch, O } from '@ringfence/synthetic';
import { records, u64FromBigInt as u64 } from '@ringfence/wire';
import type { Case } from './falco-case.ts';
import type { Scene } from './scene.ts';

const { MemoryOperation, IsolationOperation, ModuleOperation, SocketOperation } = records;
const CAP_SYS_ADMIN = u64(1n << 21n);

/** A program in a session and a process group whose leader is setsid. */
function inSession(scene: Scene): void {
  const leader = scene.fork(scene.shell);
  Object.assign(leader, { processGroup: leader.tgid, processSession: leader.tgid });
  scene.exec(leader, '/usr/bin/setsid');
  scene.open(scene.start('/opt/x', leader), '/data/x');
}

/** The answer of a server that example.test is 8.8.8.8. */
function answer(scene: Scene): void {
  const question = Buffer.from('\x07example\x04test\0\0\x01\0\x01', 'latin1');
  const record = Buffer.from('c00c0001000100000e10000408080808', 'hex');
  const payload = Buffer.concat([Buffer.from('123481800001000100000000', 'hex'), question, record]);
  scene.event(scene.start('/usr/bin/dig'), 'Packet', {
    ...{ family: 2, protocol: 17, port: 53, localPort: 4242, address: '10.0.0.53', localAddress: '10.0.0.5' },
    ...{ content: records.PacketContent.PACKET_DNS, egress: false, payload },
  });
}

/** Events for the fields and arguments of calls. */
export const calls: readonly Case[] = [
  {
    title: 'the time of an event',
    play: (scene) => scene.open(scene.start('/opt/x'), '/data/x', O.RDWR, { result: 7 }),
    type: 'openat',
    holds: [
      'evt.time startswith 01:00:00. and evt.time.s = 01:00:00 and evt.time.iso8601 startswith 2026-01-01T01:00:00.',
      'evt.datetime startswith "2026-01-01 01:00:00." and evt.datetime.s = "2026-01-01 01:00:00" and evt.rawtime.s = 1767229200',
      'evt.rawtime >= 1767229200000000000 and evt.rawtime.ns < 1000000000 and evt.cpu >= 0 and evt.count = 1 and evt.count.exit = 1',
      'evt.arg.fd = 7 and evt.rawarg.res = 7 and evt.rawarg.flags = 2 and fd.uid endswith 7 and thread.tid = val(proc.pid)',
    ],
  },
  {
    title: 'a line of a log',
    play: (scene) => scene.logs.push(logBatch(scene, ['sshd[7]: hello'])),
    type: undefined,
    holds: ['evt.is_syslog = true and syslog.message contains hello'],
  },
  {
    title: 'memory that is refused',
    play: (scene) =>
      scene.event(scene.start('/opt/x'), 'Memory', {
        operation: MemoryOperation.MEMORY_MPROTECT,
        protection: 5,
        result: -12,
      }),
    type: 'mprotect',
    holds: ['evt.count.error.memory = 1 and evt.arg.prot = PROT_EXEC and evt.count.error.file = 0'],
  },
  {
    title: 'a signal that is refused',
    play: (scene) => scene.event(scene.start('/opt/x'), 'Signal', { signal: 9, targetTgid: 1, result: -1 }),
    type: 'kill',
    holds: ['evt.count.error.other = 1 and evt.arg.sig = SIGKILL and evt.rawarg.sig = 9 and evt.arg.pid = 1'],
  },
  {
    title: 'a rename with both paths',
    play: (scene) => scene.change(scene.start('/usr/bin/mv'), 'RENAME', '/tmp/a/../b', { target: '/tmp/./c' }),
    type: 'rename',
    holds: ['evt.abspath.src = /tmp/b and evt.abspath.dst = /tmp/c'],
  },
  {
    title: 'a change of group',
    play: (scene) => scene.credentials(scene.start('/opt/x'), { gid: 5, egid: 6, sgid: 7, fsgid: 6 }),
    type: 'setresgid',
    holds: [
      'evt.arg.gid = 5 and evt.arg.rgid = 5 and evt.arg.egid = 6 and evt.arg.sgid = 7 and group.gid = 6 and not group.name exists',
    ],
  },
  {
    title: 'a change of all user ids',
    play: (scene) => scene.credentials(scene.start('/opt/x'), { uid: 5, euid: 6, suid: 7, fsuid: 6 }),
    type: 'setresuid',
    holds: ['evt.arg.ruid = 5 and evt.arg.euid = 6 and evt.arg.suid = 7 and user.uid = 6'],
  },
  {
    title: 'inheritable capabilities',
    play: (scene) => scene.credentials(scene.start('/opt/x'), { capInheritable: CAP_SYS_ADMIN }),
    type: 'capset',
    holds: [
      'evt.arg.cap_inheritable = CAP_SYS_ADMIN and thread.cap_inheritable = CAP_SYS_ADMIN',
      'thread.cap_permitted = CAP_CHOWN and thread.cap_effective = CAP_BPF',
    ],
  },
  {
    title: 'an exec from memory in a login',
    play: (scene) => {
      Object.assign(scene.shell, { loginuid: 0, tty: 34_816 });
      const values = { filename: './x', cwd: '/srv', flags: records.ExecFlag.EXEC_MEMFD };
      scene.start(['x'], scene.shell, values, '/memfd:x');
    },
    type: 'execve',
    holds: [
      'evt.arg.pathname = ./x and execve.args.filename = ./x and evt.arg.comm = x and evt.arg.cwd = /srv and proc.cwd = /srv',
      'evt.arg.tid = val(thread.tid) and evt.arg.ptid = val(proc.ppid) and proc.tty = 34816 and proc.pvpid = val(proc.ppid)',
      'proc.is_exe_from_memfd = true and proc.exe_ino.ctime_duration_proc_start >= 0',
      'user.loginuid = 0 and user.loginname = root',
    ],
  },
  {
    title: 'a socket that is made to listen',
    play: (scene) =>
      scene.socket(scene.start('/opt/x'), {
        ...{ operation: SocketOperation.SOCKET_LISTEN, family: 2, type: 1, protocol: 6 },
        ...{ address: Buffer.from([127, 0, 0, 1]), port: 80, backlog: 16 },
      }),
    type: 'listen',
    holds: [
      'evt.arg.backlog = 16 and evt.arg.proto = 6 and evt.arg.addr = "127.0.0.1:80" and fd.tuple = "127.0.0.1:80"',
    ],
  },
  {
    title: 'an option of prctl',
    play: (scene) =>
      scene.event(scene.start('/opt/x'), 'Isolation', { operation: IsolationOperation.ISOLATION_PRCTL, option: 4n }),
    type: 'prctl',
    holds: ['evt.arg.option = PR_SET_DUMPABLE'],
  },
  {
    title: 'a namespace that is entered',
    play: (scene) =>
      scene.event(scene.start('/opt/x'), 'Isolation', {
        operation: IsolationOperation.ISOLATION_SETNS,
        option: 0x2_0000n,
      }),
    type: 'setns',
    holds: ['evt.arg.nstype = CLONE_NEWNS'],
  },
  {
    title: 'a mount',
    play: (scene) => scene.mountChange(scene.start('/usr/bin/mount'), 'MOUNT', { source: '/dev/sda', target: '/mnt' }),
    type: 'mount',
    holds: ['evt.arg.dev = /dev/sda and evt.arg.dir = /mnt'],
  },
  {
    title: 'a module',
    play: (scene) =>
      scene.event(scene.start('/usr/bin/insmod'), 'Module', {
        operation: ModuleOperation.OPERATION_MODULE_LOAD,
        parameters: 'debug=1',
      }),
    type: 'finit_module',
    holds: ['evt.arg.uargs = debug=1'],
  },
  {
    title: 'a call of bpf',
    play: (scene) => scene.event(scene.start('/opt/x'), 'Bpf', { command: 5 }),
    type: 'bpf',
    holds: ['evt.arg.cmd = BPF_PROG_LOAD'],
  },
  {
    title: 'a connection to a name',
    play: (scene) => {
      answer(scene);
      scene.connect(scene.start('/usr/bin/curl'), '8.8.8.8', 443, { localAddress: '10.0.0.5', localPort: 4000 });
    },
    type: 'connect',
    holds: [
      'fd.sip.name = example.test and fd.rip.name = example.test and not fd.cip.name exists',
      'fd.tuple = "10.0.0.5:4000->8.8.8.8:443" and fd.name_changed = true',
    ],
  },
  {
    title: 'a connection from a name',
    play: (scene) => {
      answer(scene);
      const end = { address: '10.0.0.5', port: 80 };
      scene.accept(scene.start('/usr/sbin/nginx'), { address: '8.8.8.8', port: 5555 }, end);
    },
    type: 'accept4',
    holds: ['fd.cip.name = example.test and fd.rip.name = example.test'],
  },
  {
    title: 'an open in a described container',
    play: (scene) => {
      const described = { imageDigests: ['sha256:ab'], serviceAccount: 'builder', path: '/docker/c0ffee' };
      scene.open(scene.startContainer({ image: 'shop:1', ...described }), '/data/x');
    },
    type: 'openat',
    holds: ['container.image.digest = sha256:ab and k8s.sa.name = builder and thread.cgroups = /docker/c0ffee'],
  },
  {
    title: 'an open in a session',
    play: inSession,
    type: 'openat',
    holds: [
      'proc.sid.exe = /usr/bin/setsid and proc.vpgid.exe = /usr/bin/setsid and proc.vpgid.exepath = /usr/bin/setsid',
      'proc.pgid.name = setsid and proc.pgid.exepath = /usr/bin/setsid and proc.is_pgid_leader = false',
    ],
  },
  {
    title: 'a rename',
    play: (scene) =>
      scene.change(scene.start('/usr/bin/mv'), 'RENAME', '/tmp/a', {
        target: '/tmp/b',
        rawPath: './a',
        rawTarget: './b',
      }),
    type: 'rename',
    holds: ['fs.path.sourceraw = ./a and fs.path.targetraw = ./b and not fs.path.nameraw exists'],
  },
  {
    title: 'an open through a link of /proc',
    play: (scene) => scene.open(scene.start('/opt/x'), '/opt/x', O.RDONLY, { rawPath: '/proc/self/exe' }),
    type: 'openat',
    holds: ['fd.nameraw = /proc/self/exe and fd.name = /opt/x and evt.failed = false'],
  },
  {
    title: 'an open by a program with variables, as its ancestors have',
    play: (scene) => {
      const parent = scene.start('/usr/bin/env', scene.shell, { environment: ['A=1', 'B=2'] });
      scene.open(scene.start('/opt/x', scene.start('/opt/y', parent), { environment: ['A=3', 'C=4'] }), '/etc/x');
    },
    type: 'openat',
    holds: [
      'proc.env contains A=3 and proc.env[C] = 4 and not proc.env[B] exists',
      'proc.aenv[A] = 1 and proc.aenv[2] contains B=2 and proc.aenv contains A=1 and not proc.aenv[C] exists',
    ],
    not: ['proc.aenv[1] exists', 'proc.env contains B=2'],
  },
  {
    title: 'an exec with variables and capabilities',
    play: (scene) => scene.start('/opt/x', scene.shell, { environment: ['A=1', 'B=2'] }),
    type: 'execve',
    holds: ['evt.arg.env contains B=2 and evt.arg[15] contains A=1 and proc.env[A] = 1'],
  },
  {
    title: 'capset',
    play: (scene) =>
      scene.credentials(scene.start('/opt/x'), { capEffective: u64(1n << 21n), capPermitted: u64(3n << 21n) }),
    type: 'capset',
    holds: [
      'evt.arg.cap_effective = CAP_SYS_ADMIN and evt.arg.cap_permitted = "CAP_SYS_ADMIN|CAP_SYS_BOOT" and evt.arg[3] = CAP_SYS_ADMIN',
    ],
  },
];
