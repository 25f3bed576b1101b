/** A group of hooks that see the same kind of event. */
export interface HookFamily {
  /** Sections of its programs in the baseline profile. */
  readonly pattern: RegExp;
  readonly sees: string;
  readonly loses: string;
  /** The kernel may be built without the watched feature; then the hooks are absent, and nothing is lost. */
  readonly optional?: true;
  /** Names of the same hooks in the full profile, and what is lost without them. */
  readonly full?: { readonly hooks: RegExp; readonly loses: string };
}

/** The first family whose pattern matches wins. */
const FAMILIES: readonly HookFamily[] = [
  {
    pattern: /sched_process_fork/,
    sees: 'new processes',
    loses: 'the parent of a process that never executes a program is unknown until its next event',
  },
  {
    pattern: /sched_process_exec/,
    sees: 'programs being run',
    loses: 'rules on executions, which are most rules, see nothing',
    full: {
      hooks: /^bprm_check_security$/,
      loses: 'for a script that is run through a link only the link is known, and no script is hashed',
    },
  },
  {
    pattern: /sched_process_exit/,
    sees: 'processes ending',
    loses: 'exit codes and signals are unknown; ended processes stay in memory longer',
  },
  {
    pattern: /sys_exit_(execve(at)?|v?fork|clone3?)$/,
    sees: 'failed executions and forks',
    loses: 'refused executions, and forks above a limit, are not seen',
    optional: true,
  },
  {
    pattern: /sys_(enter|exit)_(set(re|fs|res)?[ug]id|setgroups|setns|capset|unshare)$/,
    sees: 'changes of user, group and capabilities',
    loses: 'privilege escalation without an execution is not seen',
  },
  {
    pattern: /sys_(enter|exit)_(open|creat)/,
    sees: 'files being opened',
    loses: 'rules on files (persistence, credential access) do not see files opened by this call',
    full: {
      hooks: /^file_open$/,
      loses: 'opens by a process with several threads are marked: another thread may have replaced the path',
    },
  },
  {
    pattern: /sys_(enter|exit)_connect/,
    sees: 'connections being made',
    loses: 'rules on connections (command and control, port scans) see nothing',
    full: {
      hooks: /^socket_connect$/,
      loses: 'the address of a refused unix connection comes from the memory of the caller, and is marked',
    },
  },
  {
    pattern: /sys_exit_(init|finit|delete)_module/,
    sees: 'kernel modules being loaded and unloaded',
    loses: 'rootkits and other modules are loaded and unloaded unseen',
    optional: true,
  },
  {
    pattern: /raw_tp\/module_/,
    sees: 'the names inside kernel modules',
    loses: 'a module has the name of its file, and no name when it is loaded from memory',
    optional: true,
  },
  {
    pattern: /sys_exit_bpf$/,
    sees: 'BPF programs and maps being created',
    loses: 'rootkits and spyware in BPF are not seen, nor attempts to detach the sensor',
    full: {
      hooks: /^bpf$/,
      loses: 'names of refused programs and maps come from the memory of the caller, and are marked',
    },
  },
  {
    pattern: /sys_exit_kexec/,
    sees: 'another kernel being loaded',
    loses: 'a replacement of the kernel is not seen',
    optional: true,
  },
  {
    pattern: /sys_exit_(keyctl|add_key|request_key)/,
    sees: 'use of kernel keyrings',
    loses: 'reads of keys of other sessions are not seen',
    optional: true,
  },
  {
    pattern: /sys_exit_(perf_event_open|io_uring_setup|userfaultfd|iopl|ioperm)/,
    sees: 'kernel facilities that exploits use',
    loses: 'the preparation of many kernel exploits is not seen',
    optional: true,
  },
  {
    pattern: /sys_exit_(settimeofday|clock_settime|adjtimex|clock_adjtime)/,
    sees: 'the clock being set',
    loses: 'changes of the clock, which confuse logs and certificates, are not seen',
    optional: true,
  },
  {
    pattern: /sys_exit_(quotactl|quotactl_fd|swapoff|swapon|syslog|reboot|sethostname|setdomainname|acct)$/,
    sees: 'calls that affect the whole machine',
    loses: 'changes of quotas, swap, accounting and host name, and reads of the kernel log, are not seen',
    optional: true,
  },
  {
    pattern: /cgroup\/sysctl/,
    sees: 'sysctls being written',
    loses: 'a changed core_pattern, modprobe path or network setting is only seen as an open for writing',
  },
  {
    pattern: /raw_tp\/io_uring_/,
    sees: 'operations submitted to io_uring',
    loses: 'files and connections opened by io_uring are not seen: an attacker can evade most rules with it',
    optional: true,
  },
  {
    pattern: /cgroup\/connect/,
    sees: 'the address of a connection that failed',
    loses: "the address of a failed connection comes from the caller's memory",
  },
  {
    pattern: /sys_exit_accept4?$/,
    sees: 'connections being accepted',
    loses: 'for attacks across hosts only the connecting host is known',
  },
  {
    pattern: /sys_exit_(dup[23]?|fcntl)$/,
    sees: 'standard streams that become connections',
    loses: 'a reverse shell is seen only when it executes the shell, and not when the shell was running before',
  },
  {
    pattern: /^syscall$/,
    sees: "the kernel's own code",
    loses: 'hooked system calls and interrupts are not found by checks of integrity',
  },
  {
    pattern: /^(uprobe\.s|tracepoint)$/,
    sees: 'events of custom probes',
    loses: 'collector.probes.custom has no effect',
  },
  {
    pattern: /^u(ret)?probe/,
    sees: 'logins, shell lines and TLS in programs',
    loses: 'failed logins and typed commands are known from logs only',
  },
  {
    pattern:
      /sys_exit_(rename|link|symlink|unlink|rmdir|mkdir|f?l?chmod|[fl]?chown|[fl]?setxattr|[fl]?removexattr|mknod|f?truncate|splice)/,
    sees: 'renames, links, removals and other changes',
    loses: 'rules on changes of files (persistence, removed traces, set-id bits) do not see this call',
    full: {
      hooks: /^(path_(?!chroot)|file_truncate|inode_|write_access)/,
      loses: 'paths come from the memory of the caller, with links not followed, and are marked: they can be forged',
    },
  },
  {
    pattern: /sys_exit_(mount|umount|move_mount|pivot_root|chroot|open_tree|fsopen|fsmount)/,
    sees: 'mounts, and roots being changed',
    loses: 'container escapes by mounts and changed roots are not seen',
    full: {
      hooks: /^(sb_|move_mount|path_chroot)/,
      loses: 'paths come from the memory of the caller, and are marked',
    },
  },
  {
    pattern: /signal_(generate|deliver)|sys_exit_(kill|tkill|tgkill|rt_t?g?sigqueueinfo|pidfd_send_signal)/,
    sees: 'signals across users and containers, faults',
    loses: 'kills of other processes, and crashes of exploits, are not seen',
    full: {
      hooks: /^task_kill$/,
      loses: 'the target of a refused signal is unknown when it has ended in the meantime',
    },
  },
  {
    pattern: /sys_exit_(ptrace|process_vm_|pidfd_getfd)/,
    sees: 'access to the memory of other processes',
    loses: 'code injection into other processes, and stolen descriptors, are not seen',
    full: {
      hooks: /^ptrace_access_check$/,
      loses: 'the target of an access is unknown when it has ended in the meantime',
    },
  },
  {
    pattern: /sys_(enter|exit)_(setns|prctl|seccomp|(arm64_)?personality)/,
    sees: 'namespaces, prctl, seccomp',
    loses: 'a process that changes its own confinement is not seen',
  },
  {
    pattern: /cap_capable/,
    sees: 'checks of capabilities',
    loses: 'the capabilities that a container uses are unknown',
  },
  {
    pattern: /sys_exit_(memfd_create|mmap|mprotect|pkey_mprotect)/,
    sees: 'memory that becomes executable',
    loses: 'code that exists only in memory is not seen until it is executed as a program',
  },
  {
    pattern: /inet_sock_set_state|cgroup\/sock_release|sys_exit_send(to|m?msg)$|cgroup_skb/,
    sees: 'flows, datagrams, DNS and TLS names',
    loses: 'bytes, durations and names of connections are unknown',
    full: {
      hooks: /^unix_(may_send|datagram_sent)$/,
      loses:
        'the unix socket of a datagram comes from the memory of the caller, and is marked; datagrams sent by write are not seen',
    },
  },
  {
    pattern: /sys_exit_(socket|bind|listen)$|cgroup\/bind/,
    sees: 'unusual sockets, bind and listen',
    loses: 'raw and packet sockets and new listeners are not seen',
    full: {
      hooks: /^socket_(bind|listen)$/,
      loses: 'addresses of failed binds, and of processes with several threads, are marked: they can be forged',
    },
  },
  {
    pattern: /cgroup_mkdir/,
    sees: 'containers being created',
    loses: 'a container that ends before its first event is read has no name',
  },
  {
    pattern: /iter\/task_file/,
    sees: 'sockets that are already open',
    loses: '`ringfence inventory` lists no sockets',
  },
  {
    pattern: /iter/,
    sees: 'processes that are already running',
    loses: 'processes that started before the agent are known from /proc only',
  },
];

/** @param section of a program in the baseline profile */
export function familyOf(section: string): HookFamily | undefined {
  return FAMILIES.find(({ pattern }) => pattern.test(section));
}

/** @param hook of the full profile */
export function fullFamilyOf(hook: string): HookFamily | undefined {
  return FAMILIES.find(({ full }) => full?.hooks.test(hook));
}
