import { records, SOCK } from '@ringfence/wire';
import { SYSCALLS } from './auditd-syscalls.ts';
import { processFields } from './common-fields.ts';
import { either, type LogSource, type LogSourceUse, type Mapping, type Mappings, type Variant } from './taxonomy.ts';

const ARGUMENTS = 64;
const EXEC = 'event.action = exec';
const TTY = 'event.action = shell_line';
const CHANGES =
  'event.action in (rename, link, symlink, unlink, mkdir, rmdir, chmod, chown, setxattr, removexattr, mknod, truncate)';
const WRITES = 'event.action = open and file.open.write = true';

/** Types of records, as in an audit trail that logs what rules commonly ask it to log. */
function types({ syscalls, filtered, reads }: LogSourceUse): Readonly<Record<string, string>> {
  return {
    EXECVE: EXEC,
    PROCTITLE: EXEC,
    CWD: EXEC,
    SYSCALL: syscalls ? 'event.action exists' : EXEC,
    // A watch logs what it asks for: a rule on changes says nothing about programs that read the file, such as loaders.
    PATH: either([EXEC, ...(filtered ? [CHANGES] : []), filtered && reads ? 'event.action = open' : WRITES]),
    SOCKADDR: 'event.action in (connect, accept, bind, datagram)',
    TTY,
    USER_TTY: TTY,
    USER_CMD: 'event.action = sudo-command',
    USER_AUTH: 'event.action in (authentication, pam-authentication, su)',
    USER_LOGIN: 'event.action = ssh-login',
    USER_START: 'event.action in (session-opened, logind-session-opened)',
    USER_END: 'event.action in (session-closed, logind-session-closed)',
    USER_CHAUTHTOK: 'event.action = password-changed',
    ADD_USER: 'event.action = user-created',
    DEL_USER: 'event.action = user-deleted',
    ADD_GROUP: 'event.action = group-created',
    USER_MGMT: 'event.action in (user-changed, group-member-added, user-locked, user-unlocked)',
    ANOM_ABEND: 'event.action = fault',
    // Match the command that stops the service: it identifies the user who stopped it.
    SERVICE_START: `${EXEC} and process.name in (systemctl, service) and process.args in (start, restart)`,
    SERVICE_STOP: `${EXEC} and process.name in (systemctl, service) and process.args in (stop, restart)`,
    KERN_MODULE: 'event.category = driver and kernel.module.name exists',
    BPF: 'event.action = bpf',
  };
}

/** Paths as auditd lists them. */
const names: Mapping = {
  any: [
    { field: 'file.path', cased: true, links: true },
    { field: 'file.target_path', cased: true, links: true },
    { field: 'process.executable', when: EXEC, cased: true, links: true },
    { field: 'process.exec.filename', when: EXEC, cased: true },
  ],
};

const SYSLOG = 'event.action = syslog';
const SOCKET = 'event.action = socket';
const PERSONALITY = 'event.action = personality';
/** Hexadecimal, as auditd writes them. */
const FAMILIES = Object.fromEntries(
  (['AF_UNIX', 'AF_INET', 'AF_INET6', 'AF_NETLINK', 'AF_PACKET', 'AF_ALG', 'AF_VSOCK'] as const).map((name) => [
    records.AddressFamily[name].toString(16),
    name,
  ]),
);
/** ADDR_NO_RANDOMIZE. */
const PERSONAS = { 40000: '262144', '0x40000': '262144', '0040000': '262144' };
const TYPES = {
  [SOCK.STREAM]: 'stream',
  [SOCK.DGRAM]: 'datagram',
  [SOCK.RAW]: 'raw',
  [SOCK.SEQPACKET]: 'seqpacket',
};

/** The arguments of the program for an exec, otherwise those of the system call. */
const argumentVariants = (index: number): Variant[] => [
  { field: `process.args[${index}]`, when: EXEC },
  ...(index === 0 ? [{ field: 'system.argument[0]', when: SYSLOG }] : []),
  ...(index === 0 ? [{ field: 'ringfence.socket.family', when: SOCKET, words: FAMILIES }] : []),
  ...(index === 0 ? [{ field: 'isolation.persona', when: PERSONALITY, words: PERSONAS }] : []),
  ...(index === 1 ? [{ field: 'ringfence.socket.type', when: SOCKET, words: TYPES }] : []),
];

const executed: Mappings = Object.fromEntries(
  Array.from({ length: ARGUMENTS }, (_, index): [string, Mapping] => [`a${index}`, { any: argumentVariants(index) }]),
);

const fields: Mappings = {
  ...processFields,
  ...executed,
  exe: { any: [{ field: 'process.executable', links: true }] },
  comm: {
    any: [
      { field: 'basename(process.exec.filename)', when: EXEC },
      { field: 'process.name', when: `not ${EXEC}` },
    ],
  },
  proctitle: 'process.command_line',
  cwd: 'process.working_directory',
  name: names,
  path: names,
  nametype: {
    values: {
      CREATE: either([
        'event.action = open and file.open.created = true',
        'event.action in (mkdir, mknod, symlink, link)',
      ]),
      DELETE: 'event.action in (unlink, rmdir)',
      NORMAL: 'event.action exists',
    },
  },
  SYSCALL: { values: SYSCALLS },
  syscall: { values: SYSCALLS },
  success: { values: { yes: 'not event.outcome = failure', no: 'event.outcome = failure' } },
  res: { values: { success: 'not event.outcome = failure', failed: 'event.outcome = failure' } },
  exit: { any: [{ field: 'event.result' }, { field: 'error.code' }] },
  data: 'ringfence.shell.line',
  unit: { any: [{ field: 'process.args', when: EXEC }] },
  pid: 'process.pid',
  ppid: 'process.parent.pid',
  uid: { any: [{ field: 'user.id' }, { field: 'user.name' }] },
  euid: { any: [{ field: 'user.effective.id' }, { field: 'user.name' }] },
  auid: 'user.audit.id',
  gid: 'group.id',
  UID: 'user.name',
  EUID: 'user.name',
  ses: 'process.session.id',
  acct: 'user.target.name',
  addr: 'source.ip',
  laddr: 'source.ip',
  daddr: 'destination.ip',
  saddr: { any: [{ field: 'destination.ip' }, { field: 'ringfence.socket.algorithm' }] },
  key: { never: 'keys are given by the rules of auditd, which is not needed here', repeats: true },
  tag: { never: 'keys are given by the rules of auditd, which is not needed here', repeats: true },
  subj: { never: 'security labels are not read' },
  obj: { never: 'security labels are not read' },
  mode: 'file.mode',
  ouid: 'file.uid',
  ogid: 'file.gid',
};

/** Provides auditd's records from the sensor's events: auditd need not run. */
export function auditd(use: LogSourceUse): LogSource {
  return {
    events: 'event.action exists',
    fields: { ...fields, type: { values: types(use) } },
    text: [{ field: 'process.command_line', when: EXEC }, { field: 'file.path', when: WRITES }, { field: 'message' }],
    shown: ['process.executable', 'process.command_line', 'file.path', 'user.name'],
  };
}
