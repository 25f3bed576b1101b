import type { EventView, ProcessInfo } from '../event-batch.ts';
import { KIND, leafIndex } from '../layout.ts';
import { decodeText, splitText } from '../text.ts';
import { u64High, u64Low } from '../u64.ts';
import { baseName, bodyLong, bodyText, type Field, type FieldValue } from './field.ts';

const execPath = bodyText('Exec', 'path.bytes');
const execCwd = bodyText('Exec', 'cwd.bytes');
const execArgv = leafIndex('Exec', 'argv.bytes');
const execFlags = bodyLong('Exec', 'flags');
const execCtime = bodyLong('Exec', 'ctime');
const execSockets = bodyLong('Exec', 'stdioSockets');
const UNSET_UID = 0xffffffff;

/** On exec the event's own copy is whole and is the new image; elsewhere the process's context. */
const isExec = (event: EventView): boolean => event.cursor.kind === KIND.Exec;

const executable = (event: EventView): string | undefined =>
  some(isExec(event) ? execPath(event) : event.process?.executable);
const args = (event: EventView): readonly string[] | undefined =>
  isExec(event) ? splitText(event.cursor.leafBytes(execArgv)) : event.process?.args;
const some = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

type Of = (process: ProcessInfo) => FieldValue;
const parent = (get: Of) => (event: EventView) =>
  event.process?.parent === undefined ? undefined : get(event.process.parent);

/** Of one ancestor when an index is given (1 is the parent), else of all. */
const ancestors = (get: (process: ProcessInfo) => string) => (event: EventView, argument?: string | number) => {
  if (typeof argument === 'number') {
    const one = event.process?.ancestor(argument);
    return one === undefined ? undefined : [get(one)];
  }
  const all: string[] = [];
  for (let one = event.process?.parent; one !== undefined && all.length < 64; one = one.parent) all.push(get(one));
  return all.length === 0 ? undefined : all;
};

const execFlag = (bit: number) => (event: EventView) =>
  ((isExec(event) ? execFlags(event) : (event.process?.raw.execFlags ?? 0)) & bit) !== 0;
const stdio = (bit: number) => (event: EventView) =>
  ((isExec(event) ? execSockets(event) : (event.process?.raw.stdioSockets ?? 0)) & bit) !== 0;
const namespace = (name: 'mnt' | 'pid' | 'net' | 'user') => ({
  name: `process.namespace.${name}`,
  type: 'number' as const,
  doc: `Inode number of its ${name} namespace.`,
  get: (event: EventView) => event.process?.raw.namespaces[name],
});

/** Names by bit (include/uapi/linux/capability.h, Linux 6.18). */
const CAPABILITIES: readonly string[] =
  `CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_LINUX_IMMUTABLE
   CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT
   CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE
   CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ
   CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE`.split(/\s+/);

/** Names of the bits of a capability set. `except`: bits to leave out. */
export function capabilityNames(set: Uint8Array, at = 0, except?: Uint8Array, exceptAt = 0): string[] {
  const low = u64Low(set, at) & ~(except === undefined ? 0 : u64Low(except, exceptAt));
  const high = u64High(set, at) & ~(except === undefined ? 0 : u64High(except, exceptAt));
  return CAPABILITIES.filter((_, bit) => ((bit < 32 ? low >>> bit : high >>> (bit - 32)) & 1) === 1);
}

export const processFields: readonly Field[] = [
  {
    name: 'process.pid',
    type: 'number',
    doc: 'Process id on the host.',
    aliases: ['proc.pid', 'ProcessId'],
    get: (event) => event.cursor.tgid,
  },
  {
    name: 'process.thread.id',
    type: 'number',
    doc: 'Thread id on the host.',
    aliases: ['thread.tid'],
    get: (event) => event.cursor.tid,
  },
  {
    name: 'process.vpid',
    type: 'number',
    doc: 'Process id in its own pid namespace.',
    aliases: ['proc.vpid'],
    get: (event) => event.process?.raw.namespaces.pidInNs,
  },
  {
    name: 'process.entity_id',
    type: 'string',
    doc: 'Identity of the process, unique over hosts and time.',
    get: (event) => event.process?.entityId,
  },
  {
    name: 'process.name',
    type: 'string',
    doc: "Last component of the executable's path.",
    aliases: ['proc.name'],
    get: (event) => {
      const path = executable(event);
      return path === undefined ? undefined : baseName(path);
    },
  },
  {
    name: 'process.executable',
    type: 'string',
    doc: "Path of the executable: the kernel's copy.",
    aliases: ['proc.exepath', 'Image'],
    get: executable,
  },
  {
    name: 'process.args',
    type: 'strings',
    doc: 'Arguments, the first is the name it was called by.',
    aliases: ['proc.args'],
    get: args,
  },
  {
    name: 'process.command_line',
    type: 'string',
    doc: 'Arguments joined by spaces.',
    aliases: ['proc.cmdline', 'CommandLine'],
    get: (event) => args(event)?.join(' '),
  },
  {
    name: 'process.working_directory',
    type: 'string',
    doc: 'Current directory at its last exec.',
    aliases: ['proc.cwd', 'CurrentDirectory'],
    get: (event) => some(isExec(event) ? execCwd(event) : event.process && decodeText(event.process.raw.cwd)),
  },
  {
    name: 'process.tty',
    type: 'number',
    doc: 'Device number of its controlling terminal; 0: none.',
    aliases: ['proc.tty'],
    get: (event) => event.process?.raw.tty,
  },
  { name: 'process.session.id', type: 'number', doc: 'Audit session.', get: (event) => event.process?.raw.sessionId },
  {
    name: 'user.audit.id',
    type: 'number',
    doc: 'Who logged in (loginuid); absent when nobody did.',
    aliases: ['user.loginuid'],
    get: (event) => (event.process?.raw.loginuid === UNSET_UID ? undefined : event.process?.raw.loginuid),
  },
  { name: 'process.stdin.socket', type: 'bool', doc: 'Its standard input was a socket at exec.', get: stdio(1) },
  { name: 'process.stdout.socket', type: 'bool', doc: 'Its standard output was a socket at exec.', get: stdio(2) },
  {
    name: 'process.stdin.network',
    type: 'bool',
    doc: 'Its standard input was a socket at exec, and no unix socket.',
    get: stdio(0x100),
  },
  {
    name: 'process.stdout.network',
    type: 'bool',
    doc: 'Its standard output was a socket at exec, and no unix socket.',
    get: stdio(0x200),
  },
  {
    name: 'process.exec.memfd',
    type: 'bool',
    doc: 'Runs from memory (memfd or unlinked shared memory).',
    aliases: ['proc.is_exe_from_memfd'],
    get: execFlag(1),
  },
  { name: 'process.exec.deleted', type: 'bool', doc: 'Its executable has no name in any directory.', get: execFlag(2) },
  { name: 'process.exec.setuid', type: 'bool', doc: 'Its executable has the set-user-id bit.', get: execFlag(4) },
  { name: 'process.exec.setgid', type: 'bool', doc: 'Its executable has the set-group-id bit.', get: execFlag(8) },
  {
    name: 'process.exec.privileged',
    type: 'bool',
    doc: 'The exec raised privileges (set-id or file capabilities).',
    get: execFlag(16),
  },
  { name: 'process.exec.script', type: 'bool', doc: 'Started through an interpreter line.', get: execFlag(32) },
  {
    name: 'process.exec.filename',
    type: 'string',
    doc: 'What execve was given, before links were followed.',
    aliases: ['execve.args.filename', 'evt.arg.filename'],
    kinds: ['exec'],
    get: bodyText('Exec', 'filename.bytes'),
  },
  {
    name: 'process.exec.snapshot',
    type: 'bool',
    doc: 'Was running when the agent started; not seen starting.',
    kinds: ['exec'],
    get: (event) => bodyLongSnapshot(event) !== 0,
  },
  {
    name: 'process.exec.file_age',
    type: 'number',
    doc: 'Seconds since the executable file was last changed (inode ctime).',
    kinds: ['exec'],
    get: (event) => Math.max(0, (event.timestamp - execCtime(event)) / 1e6),
  },
  {
    name: 'process.exec.written_ago',
    type: 'number',
    doc: 'Seconds since a process was seen opening the executable for writing.',
    kinds: ['exec'],
    get: (event) => (event.writtenAgo < 0 ? undefined : event.writtenAgo / 1e6),
  },
  {
    name: 'process.exec.writer.executable',
    type: 'string',
    doc: 'Executable of the process that wrote it.',
    kinds: ['exec'],
    get: (event) => event.writer?.executable,
  },
  {
    name: 'process.exec.writer.name',
    type: 'string',
    doc: 'Name of the process that wrote it.',
    kinds: ['exec'],
    get: (event) => event.writer?.name,
  },
  {
    name: 'process.exec.writer.same_container',
    type: 'bool',
    doc: 'It was written from inside of the container it runs in; absent on the host.',
    kinds: ['exec'],
    get: ({ writer, container, head }) =>
      writer === undefined || container === undefined
        ? undefined
        : head.containers[writer.raw.container]?.id === container.id,
  },
  {
    name: 'process.parent.pid',
    type: 'number',
    doc: 'Its parent.',
    aliases: ['proc.ppid', 'ParentProcessId'],
    get: parent((p) => p.raw.pid),
  },
  {
    name: 'process.parent.name',
    type: 'string',
    doc: "Last component of the parent's executable.",
    aliases: ['proc.pname'],
    get: parent((p) => p.name),
  },
  {
    name: 'process.parent.executable',
    type: 'string',
    doc: "Parent's executable.",
    aliases: ['proc.pexepath', 'ParentImage'],
    get: parent((p) => p.executable),
  },
  {
    name: 'process.parent.command_line',
    type: 'string',
    doc: "Parent's arguments.",
    aliases: ['proc.pcmdline', 'ParentCommandLine'],
    get: parent((p) => p.args.join(' ')),
  },
  { name: 'process.parent.entity_id', type: 'string', doc: "Parent's identity.", get: parent((p) => p.entityId) },
  {
    name: 'process.parent.stdin.socket',
    type: 'bool',
    doc: "The parent's standard input was a socket.",
    get: parent((p) => (p.raw.stdioSockets & 1) !== 0),
  },
  {
    name: 'process.parent.stdin.network',
    type: 'bool',
    doc: "The parent's standard input was a socket, and no unix socket.",
    get: parent((p) => (p.raw.stdioSockets & 0x100) !== 0),
  },
  {
    name: 'process.ancestors.name',
    type: 'strings',
    doc: 'Names of the ancestors; [1] is the parent.',
    aliases: ['proc.aname'],
    argument: 'index',
    argumentOptional: true,
    get: ancestors((p) => p.name),
  },
  {
    name: 'process.ancestors.executable',
    type: 'strings',
    doc: 'Executables of the ancestors; [1] is the parent.',
    aliases: ['proc.aexepath'],
    argument: 'index',
    argumentOptional: true,
    get: ancestors((p) => p.executable),
  },
  {
    name: 'process.exit_code',
    type: 'number',
    doc: 'Exit code, 0 to 255.',
    kinds: ['exit'],
    get: bodyLong('Exit', 'code'),
  },
  {
    name: 'process.exit_signal',
    type: 'number',
    doc: 'Signal that ended it; 0: none.',
    kinds: ['exit'],
    get: bodyLong('Exit', 'signal'),
  },
  {
    name: 'process.uptime',
    type: 'number',
    doc: 'Seconds it lived.',
    kinds: ['exit'],
    get: (event) => exitDuration(event) / 1e6,
  },
  {
    name: 'user.id',
    type: 'number',
    doc: 'Real user id.',
    aliases: ['user.uid'],
    get: (event) => event.process?.raw.credentials.uid,
  },
  {
    name: 'user.effective.id',
    type: 'number',
    doc: 'Effective user id.',
    get: (event) => event.process?.raw.credentials.euid,
  },
  {
    name: 'user.name',
    type: 'string',
    doc: 'Name of the effective user.',
    aliases: ['User'],
    get: (event) => some(event.process?.raw.user),
  },
  {
    name: 'group.id',
    type: 'number',
    doc: 'Real group id.',
    aliases: ['group.gid'],
    get: (event) => event.process?.raw.credentials.gid,
  },
  {
    name: 'process.thread.capabilities.effective',
    type: 'strings',
    doc: 'Names of its effective capabilities.',
    aliases: ['thread.cap_effective'],
    get: (event) => event.process && capabilityNames(event.process.raw.credentials.capEffective),
  },
  {
    name: 'user.before.id',
    type: 'number',
    doc: 'Real user id before the change.',
    kinds: ['credentials'],
    get: bodyLong('CredentialsChange', 'before.uid'),
  },
  {
    name: 'user.before.effective.id',
    type: 'number',
    doc: 'Effective user id before the change.',
    kinds: ['credentials'],
    get: bodyLong('CredentialsChange', 'before.euid'),
  },
  {
    name: 'user.changes.id',
    type: 'number',
    doc: 'Real user id after the change.',
    kinds: ['credentials'],
    get: bodyLong('CredentialsChange', 'after.uid'),
  },
  {
    name: 'user.changes.effective.id',
    type: 'number',
    doc: 'Effective user id after the change.',
    kinds: ['credentials'],
    get: bodyLong('CredentialsChange', 'after.euid'),
  },
  {
    name: 'process.capabilities.gained',
    type: 'strings',
    doc: 'Effective capabilities that the change added.',
    kinds: ['credentials'],
    get: (event) => {
      const { buffer } = event.cursor;
      return capabilityNames(buffer, event.cursor.leafAt(capsAfter), buffer, event.cursor.leafAt(capsBefore));
    },
  },
  namespace('pid'),
  namespace('mnt'),
  namespace('net'),
  namespace('user'),
];

const bodyLongSnapshot = bodyLong('Exec', 'snapshot');
const exitDuration = bodyLong('Exit', 'duration');
const capsAfter = leafIndex('CredentialsChange', 'after.capEffective');
const capsBefore = leafIndex('CredentialsChange', 'before.capEffective');
