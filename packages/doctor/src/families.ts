/** What a group of hooks sees together. */
export interface Family {
  readonly pattern: RegExp;
  readonly sees: string;
  readonly loses: string;
  /** A kernel may be built without what they watch: then there is no place for them, and nothing to lose. */
  readonly optional?: true;
  /** Hooks of the full profile that see the same, by name, and what detection loses without them. */
  readonly full?: { readonly hooks: RegExp; readonly loses: string };
}

/** What a program of the sensor sees, found by where it attaches. First match wins. */
const FAMILIES: readonly Family[] = [
  {
    pattern: /sched_process_fork/,
    sees: 'new processes',
    loses: 'parents of processes that never exec are unknown until their next event',
  },
  {
    pattern: /sched_process_exec/,
    sees: 'programs being run',
    loses: 'every rule on executions is blind: most of detection',
    full: {
      hooks: /^bprm_check_security$/,
      loses:
        'of a script that was run by a link only the link is known, not which file it led to, and no script is hashed',
    },
  },
  {
    pattern: /sched_process_exit/,
    sees: 'processes ending',
    loses: 'exit codes and signals are unknown; ended processes are forgotten late',
  },
  {
    pattern: /sys_exit_(execve(at)?|v?fork|clone3?)$/,
    sees: 'executions and new processes that fail',
    loses: 'what was to be run and was refused, and forks at their limit, are not seen',
    optional: true,
  },
  {
    pattern: /sys_(enter|exit)_(set(re|fs|res)?[ug]id|setgroups|setns|capset|unshare)$/,
    sees: 'changes of user, group and capabilities',
    loses: 'privilege escalation without an exec is not seen',
  },
  {
    pattern: /sys_(enter|exit)_(open|creat)/,
    sees: 'files being opened',
    loses: 'rules on files (persistence, credential access) are blind to this call',
    full: {
      hooks: /^file_open$/,
      loses:
        'what a program with several threads opens is marked: another thread may have put another file in its place',
    },
  },
  {
    pattern: /sys_(enter|exit)_connect/,
    sees: 'connections being made',
    loses: 'rules on connections (command and control, port scans) are blind',
    full: {
      hooks: /^socket_connect$/,
      loses: 'whom a unix socket was not let through to is as the caller wrote it, and marked',
    },
  },
  {
    pattern: /sys_exit_(init|finit|delete)_module/,
    sees: 'kernel modules being loaded and unloaded',
    loses: 'rootkits and other modules come and go unseen',
    optional: true,
  },
  {
    pattern: /raw_tp\/module_/,
    sees: 'the own names of kernel modules',
    loses: 'a module goes by the name of its file, and has none when it is loaded from memory',
    optional: true,
  },
  {
    pattern: /sys_exit_bpf$/,
    sees: 'BPF programs and maps being made',
    loses: 'rootkits and spies made of BPF are not seen, nor who detaches our own',
    full: {
      hooks: /^bpf$/,
      loses: 'names of programs and maps that the kernel refused are as the caller wrote them, and marked',
    },
  },
  {
    pattern: /sys_exit_kexec/,
    sees: 'another kernel being loaded',
    loses: 'the kernel can be replaced unseen',
    optional: true,
  },
  {
    pattern: /sys_exit_(keyctl|add_key|request_key)/,
    sees: 'use of the keys that the kernel keeps',
    loses: 'keys of other sessions can be read unseen',
    optional: true,
  },
  {
    pattern: /sys_exit_(perf_event_open|io_uring_setup|userfaultfd|iopl|ioperm)/,
    sees: 'facilities that exploits need',
    loses: 'the preparation of many kernel exploits is not seen',
    optional: true,
  },
  {
    pattern: /sys_exit_(settimeofday|clock_settime|adjtimex|clock_adjtime)/,
    sees: 'the clock being set',
    loses: 'who moves the clock to confuse logs or certificates is not seen',
    optional: true,
  },
  {
    pattern: /sys_exit_(quotactl|quotactl_fd|swapoff|swapon|syslog|reboot|sethostname|setdomainname|acct)$/,
    sees: 'calls that change or show the whole machine',
    loses: 'quotas, swap, accounting, names and the kernel log are changed or read unseen',
    optional: true,
  },
  {
    pattern: /cgroup\/sysctl/,
    sees: 'sysctls being written',
    loses: 'a changed core_pattern, modprobe path or network setting is only seen as a file that was opened to write',
  },
  {
    pattern: /raw_tp\/io_uring_/,
    sees: 'what programs leave to io_uring',
    loses: 'files and connections opened by io_uring are unseen: an attacker who knows that goes round most rules',
    optional: true,
  },
  {
    pattern: /cgroup\/connect/,
    sees: 'the address of a connection that failed',
    loses: "for a failed connection the caller's copy of the address is reported",
  },
  {
    pattern: /sys_exit_accept4?$/,
    sees: 'connections being accepted',
    loses: 'of attacks that cross hosts only the side that connects is known',
  },
  {
    pattern: /sys_exit_(dup[23]?|fcntl)$/,
    sees: 'standard streams that become connections',
    loses: 'a reverse shell is seen when it executes the shell, not before, and not where that ran already',
  },
  {
    pattern: /^syscall$/,
    sees: "the kernel's own code",
    loses: 'hooked system calls and interrupts are not found by checks of integrity',
  },
  {
    pattern: /^(uprobe\.s|tracepoint)$/,
    sees: 'what probes of your own are set in',
    loses: 'collector.probes.custom has no effect',
  },
  {
    pattern: /^u(ret)?probe/,
    sees: 'logins, shell lines and TLS in programs',
    loses: 'whose password was wrong, and what was typed, is known from logs only',
  },
  {
    pattern:
      /sys_exit_(rename|link|symlink|unlink|rmdir|mkdir|f?l?chmod|[fl]?chown|[fl]?setxattr|[fl]?removexattr|mknod|f?truncate|splice)/,
    sees: 'renames, links, removals and other changes',
    loses: 'rules on changes of files (persistence, cleared traces, set-id bits) are blind to this call',
    full: {
      hooks: /^(path_(?!chroot)|file_truncate|inode_|write_access)/,
      loses:
        'paths are as the caller wrote them, links not followed, and marked: who rewrites them meanwhile deceives rules',
    },
  },
  {
    pattern: /sys_exit_(mount|umount|move_mount|pivot_root|chroot|open_tree|fsopen|fsmount)/,
    sees: 'mounts, and roots being changed',
    loses: 'escapes by mounts and other roots are not seen',
    full: {
      hooks: /^(sb_|move_mount|path_chroot)/,
      loses: 'paths are as the caller wrote them, and marked',
    },
  },
  {
    pattern: /signal_(generate|deliver)|sys_exit_(kill|tkill|tgkill|rt_t?g?sigqueueinfo|pidfd_send_signal)/,
    sees: 'signals across users and containers, faults',
    loses: 'who kills what, and crashes of exploits, are not seen',
    full: {
      hooks: /^task_kill$/,
      loses: 'who should have got a signal that was refused is not known when it has ended since',
    },
  },
  {
    pattern: /sys_exit_(ptrace|process_vm_|pidfd_getfd)/,
    sees: 'processes that look into others',
    loses: 'code put into other processes, and stolen descriptors, are not seen',
    full: {
      hooks: /^ptrace_access_check$/,
      loses: 'who was looked into is not known when it has ended since',
    },
  },
  {
    pattern: /sys_(enter|exit)_(setns|prctl|seccomp|(arm64_)?personality)/,
    sees: 'namespaces, prctl, seccomp',
    loses: 'a process that changes what confines it is not seen',
  },
  {
    pattern: /cap_capable/,
    sees: 'capabilities that are asked for',
    loses: 'which capabilities a container uses is not known',
  },
  {
    pattern: /sys_exit_(memfd_create|mmap|mprotect|pkey_mprotect)/,
    sees: 'memory that becomes executable',
    loses: 'code that only memory has is not seen before it is run as a program',
  },
  {
    pattern: /inet_sock_set_state|cgroup\/sock_release|sys_exit_send(to|m?msg)$|cgroup_skb/,
    sees: 'flows, datagrams, DNS and TLS names',
    loses: 'bytes, durations and names of connections are not known',
    full: {
      hooks: /^unix_(may_send|datagram_sent)$/,
      loses:
        'to which unix socket a datagram was sent is as the caller wrote it, and marked; one that is written is not seen',
    },
  },
  {
    pattern: /sys_exit_(socket|bind|listen)$|cgroup\/bind/,
    sees: 'unusual sockets, bind and listen',
    loses: 'raw and packet sockets and new listeners are not seen',
    full: {
      hooks: /^socket_(bind|listen)$/,
      loses: 'what a bind that failed asked for, and all of a program with several threads, is marked',
    },
  },
  {
    pattern: /cgroup_mkdir/,
    sees: 'containers being made',
    loses: 'a container that is gone before its first event is read has no name',
  },
  {
    pattern: /iter\/task_file/,
    sees: 'sockets that are open already',
    loses: '`ringfence inventory` has none',
  },
  {
    pattern: /iter/,
    sees: 'processes that run already',
    loses: 'processes started before the agent are known from /proc only',
  },
];

export function familyOf(section: string): Family | undefined {
  return FAMILIES.find(({ pattern }) => pattern.test(section));
}

/** @param hook of the full profile */
export function familyOfFull(hook: string): Family | undefined {
  return FAMILIES.find(({ full }) => full?.hooks.test(hook));
}
