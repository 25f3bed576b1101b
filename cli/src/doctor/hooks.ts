import { isProbe, probePlaces } from '@ringfence/collector';
import { BpfError, BpfObject } from '@ringfence/libbpf-ts';

interface Family {
  readonly pattern: RegExp;
  readonly sees: string;
  readonly loses: string;
  /** A kernel may be built without what they watch: then there is no place for them, and nothing to lose. */
  readonly optional?: true;
  /** Of the full profile: a kernel without LSM hooks for BPF refuses it, and the baseline does without. */
  readonly full?: true;
}

/** What a program of the sensor sees, found by where it attaches. First match wins. */
const HOOKS: readonly Family[] = [
  {
    pattern: /sched_process_fork/,
    sees: 'new processes',
    loses: 'parents of processes that never exec are unknown until their next event',
  },
  {
    pattern: /sched_process_exec/,
    sees: 'programs being run',
    loses: 'every rule on executions is blind: most of detection',
  },
  {
    pattern: /sched_process_exit/,
    sees: 'processes ending',
    loses: 'exit codes and signals are unknown; ended processes are forgotten late',
  },
  {
    pattern: /sys_(enter|exit)_(set(re|fs|res)?[ug]id|setns|capset|unshare)$/,
    sees: 'changes of user, group and capabilities',
    loses: 'privilege escalation without an exec is not seen',
  },
  {
    pattern: /sys_(enter|exit)_(open|creat)/,
    sees: 'files being opened',
    loses: 'rules on files (persistence, credential access) are blind to this call',
  },
  {
    pattern: /sys_(enter|exit)_connect/,
    sees: 'connections being made',
    loses: 'rules on connections (command and control, port scans) are blind',
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
    sees: 'BPF programs and maps being made and attached',
    loses: 'rootkits and spies made of BPF are not seen, nor who detaches our own',
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
    sees: 'files being renamed, linked, removed, changed',
    loses: 'rules on changes of files (persistence, cleared traces, set-id bits) are blind to this call',
  },
  {
    pattern: /sys_exit_(mount|umount|move_mount|pivot_root|chroot|open_tree|fsopen|fsmount)/,
    sees: 'mounts, and roots being changed',
    loses: 'escapes by mounts and other roots are not seen',
  },
  {
    pattern: /signal_(generate|deliver)|sys_exit_(kill|tkill|tgkill|rt_t?g?sigqueueinfo|pidfd_send_signal)/,
    sees: 'signals across users and containers, and faults',
    loses: 'who kills what, and crashes of exploits, are not seen',
  },
  {
    pattern: /sys_exit_(ptrace|process_vm_|pidfd_getfd)/,
    sees: 'processes that look into others',
    loses: 'code put into other processes, and stolen descriptors, are not seen',
  },
  {
    pattern: /sys_(enter|exit)_(setns|prctl|seccomp|personality)/,
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
    pattern: /inet_sock_set_state|cgroup\/sock_release|sys_exit_send(to|msg)$|cgroup_skb/,
    sees: 'flows, datagrams, DNS and TLS names',
    loses: 'bytes, durations and names of connections are not known',
  },
  {
    pattern: /sys_exit_(socket|bind|listen)$|cgroup\/bind/,
    sees: 'unusual sockets, bind and listen',
    loses: 'raw and packet sockets and new listeners are not seen',
  },
  {
    pattern: /^lsm/,
    sees: 'what an open opened, whatever another thread does (full profile)',
    loses: 'a descriptor that another thread replaces during the open is reported as what it is then',
    full: true,
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

export interface HookState {
  readonly program: string;
  readonly section: string;
  readonly sees: string;
  readonly loses: string;
  /** null: it loads and attaches, or is `absent` */
  readonly problem: string | null;
  /** this kernel has no place for it, and nothing to be seen there */
  readonly absent: boolean;
}

/** Loads the sensor and attaches each of its programs for a moment. `progress` is told of each. */
export function probeHooks(
  objectPath: string,
  cgroup: string | undefined,
  progress: (done: number, of: number) => void = () => {},
): HookState[] {
  using whole = loadOnly(objectPath, undefined);
  const programs = [...whole.object.programs.values()].map(({ name, section }) => ({ name, section }));
  return programs.map(({ name, section }, index) => {
    progress(index, programs.length);
    const known = HOOKS.find(({ pattern }) => pattern.test(section));
    const problem =
      whole.problem === null
        ? attachProblem(whole.object, name, section, cgroup)
        : aloneProblem(objectPath, name, section, cgroup);
    const absent = problem !== null && (known?.full === true || (problem.errno === ENOENT && known?.optional === true));
    return {
      program: name,
      section,
      sees: known?.sees ?? section,
      loses: known?.loses ?? 'what it sees is not seen',
      problem: problem === null || absent ? null : problem.text,
      absent,
    };
  });
}

const ENOENT = 2;

interface Problem {
  readonly text: string;
  readonly errno: number | undefined;
}

interface Loaded extends Disposable {
  readonly object: BpfObject;
  readonly problem: Problem | null;
}

/** With one program only, or with all. */
function loadOnly(objectPath: string, only: string | undefined): Loaded {
  const object = BpfObject.open(objectPath);
  for (const definition of object.definitions.values()) if (definition.type === 'ringbuf') definition.resize(4096);
  for (const program of object.programs.values()) program.autoload = only === undefined || program.name === only;
  return { object, problem: problemOf(() => object.load()), [Symbol.dispose]: () => object[Symbol.dispose]() };
}

/** When the kernel refuses the sensor as a whole, each program is tried alone. */
function aloneProblem(objectPath: string, name: string, section: string, cgroup: string | undefined): Problem | null {
  using loaded = loadOnly(objectPath, name);
  return loaded.problem ?? attachProblem(loaded.object, name, section, cgroup);
}

function attachProblem(object: BpfObject, name: string, section: string, cgroup: string | undefined): Problem | null {
  if (isProbe(section)) return probeProblem(object, name);
  if (section.startsWith('cgroup') && cgroup === undefined)
    return { text: 'cgroup v2 is not mounted', errno: undefined };
  return problemOf(() => attach(object, name, section, cgroup ?? '')[Symbol.dispose]());
}

/** A probe is tried in the first file that this host has for it; without any there is nothing to miss. */
function probeProblem(object: BpfObject, name: string): Problem | null {
  for (const { path, probes } of probePlaces({ pam: true, shell: true, tls: true, files: [] }, '/')) {
    const probe = probes.find(({ program, optional }) => program === name && !optional);
    if (probe !== undefined)
      return problemOf(() =>
        object
          .program(name)
          .attachUprobe({ path, ...probe })
          [Symbol.dispose](),
      );
  }
  return null;
}

/** bytes: more than the context of any program that is run on demand */
const ON_DEMAND_CONTEXT = 16;

function problemOf(attempt: () => void): Problem | null {
  try {
    attempt();
    return null;
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return { text: (error.message.split('\n')[0] ?? error.message).slice(0, 200), errno: error.errno };
  }
}

function attach(object: BpfObject, name: string, section: string, cgroup: string): Disposable {
  const program = object.program(name);
  if (section === 'syscall') {
    program.run({ context: new Uint8Array(ON_DEMAND_CONTEXT) });
    return { [Symbol.dispose]() {} };
  }
  if (section.startsWith('iter')) return program.attachIterator();
  return section.startsWith('cgroup') ? program.attachCgroup(cgroup) : program.attach();
}
