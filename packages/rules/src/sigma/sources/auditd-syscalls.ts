import { callNames } from '@ringfence/fields';

/** System calls by action. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  exec: ['execve', 'execveat'],
  fork: ['fork', 'vfork', 'clone', 'clone3'],
  open: ['open', 'openat', 'openat2', 'creat'],
  connect: ['connect'],
  accept: ['accept', 'accept4'],
  datagram: ['sendto', 'sendmsg', 'sendmmsg'],
  socket: ['socket'],
  bind: ['bind'],
  listen: ['listen'],
  rename: ['rename', 'renameat', 'renameat2'],
  link: ['link', 'linkat'],
  symlink: ['symlink', 'symlinkat'],
  unlink: ['unlink', 'unlinkat'],
  mkdir: ['mkdir', 'mkdirat'],
  rmdir: ['rmdir'],
  chmod: ['chmod', 'fchmod', 'fchmodat', 'fchmodat2'],
  chown: ['chown', 'fchown', 'lchown', 'fchownat'],
  setxattr: ['setxattr', 'lsetxattr', 'fsetxattr'],
  removexattr: ['removexattr', 'lremovexattr', 'fremovexattr'],
  mknod: ['mknod', 'mknodat'],
  truncate: ['truncate', 'ftruncate'],
  splice: ['splice'],
  mount: ['mount'],
  umount: ['umount', 'umount2'],
  memfd_create: ['memfd_create'],
  mmap: ['mmap'],
  mprotect: ['mprotect'],
  signal: ['kill', 'tkill', 'tgkill'],
  ptrace: ['ptrace'],
  setns: ['setns'],
  unshare: ['unshare'],
  prctl: ['prctl'],
  personality: ['personality'],
  credentials: [
    'setuid',
    'setgid',
    'setreuid',
    'setregid',
    'setresuid',
    'setresgid',
    'setfsuid',
    'setfsgid',
    'setgroups',
    'capset',
  ],
  bpf: ['bpf'],
};

/** System calls whose action has the same name. */
const SAME = [
  'move_mount',
  'pivot_root',
  'chroot',
  'open_tree',
  'fsmount',
  'fsopen',
  'mount_setattr',
  'process_vm_readv',
  'process_vm_writev',
  'pidfd_getfd',
  'perf_event_open',
  'kexec_load',
  'kexec_file_load',
  'userfaultfd',
  'keyctl',
  'add_key',
  'request_key',
  'iopl',
  'ioperm',
  'quotactl',
  'swapon',
  'swapoff',
  'settimeofday',
  'clock_settime',
  'syslog',
  'reboot',
  'sethostname',
  'setdomainname',
  'acct',
  'adjtimex',
  'clock_adjtime',
];

const BY_NAME: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(CALLS).flatMap(([action, calls]) => calls.map((call) => [call, `event.action = ${action}`])),
  ),
  ...Object.fromEntries(SAME.map((call) => [call, `event.action = ${call}`])),
  ...Object.fromEntries(
    ['init_module', 'finit_module', 'delete_module', 'dup', 'dup2', 'dup3', 'fcntl'].map((call) => [
      call,
      `evt.type = ${call}`,
    ]),
  ),
};

/**
 * Events of a system call as native conditions: by its name, and by its number on x86-64, which rules are written for.
 */
export const SYSCALLS: Readonly<Record<string, string>> = {
  ...BY_NAME,
  ...Object.fromEntries(
    [...callNames('x64')]
      .filter(([, name]) => Object.hasOwn(BY_NAME, name))
      .map(([number, name]) => [number, BY_NAME[name]!]),
  ),
};
