/** Falco event types with the same meaning, by the type that stands for them. */
const SAME: Readonly<Record<string, string>> = {
  openat: 'open openat2 creat open_by_handle_at',
  execve: 'execveat',
  clone: 'clone3 fork vfork',
  procexit: 'exit exit_group',
  accept4: 'accept',
  kill: 'tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal',
  setresuid: 'setuid setreuid setfsuid',
  setresgid: 'setgid setregid setfsgid',
  rename: 'renameat renameat2',
  link: 'linkat',
  symlink: 'symlinkat',
  unlink: 'unlinkat',
  mkdir: 'mkdirat',
  chmod: 'fchmod fchmodat fchmodat2',
  chown: 'lchown fchown fchownat',
  setxattr: 'lsetxattr fsetxattr setxattrat',
  removexattr: 'lremovexattr fremovexattr removexattrat',
  mknod: 'mknodat',
  truncate: 'ftruncate',
  umount: 'umount2',
  mmap: 'mmap2',
  mprotect: 'pkey_mprotect',
  sendto: 'sendmsg sendmmsg send send_zc sendmsg_zc',
  recvfrom: 'recvmsg recvmmsg recv',
  fsmount: 'fsconfig',
  quotactl: 'quotactl_fd',
};

export const SPELLINGS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(SAME).flatMap(([type, aliases]) => aliases.split(' ').map((alias) => [alias, type])),
);

/** Reasons why the sensor has no event of types that rules use. */
const REASONS: readonly (readonly [types: string, why: string])[] = [
  [
    'read readv pread preadv write writev pwrite pwritev ioctl poll ppoll select epoll_wait close lseek stat fstat lstat access',
    'what is read and written through open descriptors is not watched; opens are',
  ],
  ['container', 'a container is recognized by its first process: proc.vpid = 1'],
  ['pluginevent asyncevent', 'plugins of Falco do not run here'],
];

/** Returns the reason why no event has this type. */
export function unseen(type: string): string {
  for (const [types, why] of REASONS) if (types.split(' ').includes(type)) return why;
  return 'the sensor has no event for it';
}
