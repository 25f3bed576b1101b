/** The programs of the sensor's object by the role that user space gives them. All others are attached at the start. */

/** Build the process tree, which everything else refers to. Attached before the running processes are read. */
export const LIFECYCLE: readonly string[] = ['process_fork', 'process_exec', 'process_exit'];

/** Iterator over the running processes. Attached for each read, never pinned. */
export const SNAPSHOT = 'snapshot';

/**
 * Iterator that finds the owners of sockets which are older than the sensor. Runs twice once all hooks are attached;
 * never pinned.
 */
export const ADOPT = 'adopt_sockets';
export const ADOPT_COOKIES = 'adopt_cookies';

/** Iterator over the files that the agent has open with O_PATH, for their identities. Attached for each read. */
export const IDENTIFY = 'identify_files';

/** Iterator that marks and lists the processes of a doom. Attached for each read. */
export const DOOMED = 'doomed';

/** Signals marked processes at their system calls. Attached while a doom is in force, never pinned. */
export const DOOMED_CALL = 'doomed_call';

export const DOOM_PROGRAMS: readonly string[] = [DOOMED, DOOMED_CALL];

/** Programs that each agent loads, also one that takes over the pinned programs of an earlier agent. */
export const OWN_PROGRAMS: readonly string[] = [SNAPSHOT, IDENTIFY, ...DOOM_PROGRAMS];

/** Reads the kernel's memory for the integrity check. Run on demand by that check, never attached. */
export const READ_KERNEL = 'read_kernel';

/** Iterator over the open sockets, for the inventory. The agent does not load it. */
export const SOCKETS = 'sockets';

/** Loaded by commands, not by the agent. */
export const COMMAND_PROGRAMS: readonly string[] = [READ_KERNEL, SOCKETS];

/** Without these programs the sensor is not loaded. */
export const REQUIRED: readonly string[] = [...LIFECYCLE, SNAPSHOT];

/** Programs that are needed only where the kernel lacks the hook of another program: stand-in → that program. */
export const STAND_INS: ReadonlyMap<string, string> = new Map([
  ['io_uring_submitted_6_1', 'io_uring_submitted'],
  ['connect_enter', 'connect_unix'],
  [ADOPT_COOKIES, ADOPT],
]);

/**
 * Programs on frequent events, with the kinds of events that they report. Each is attached only while one of these
 * kinds is of interest.
 */
export const ON_DEMAND_HOOKS: ReadonlyMap<string, readonly string[]> = new Map([
  ['dup_exit', ['redirect']],
  ['dup2_exit', ['redirect']],
  ['dup3_exit', ['redirect']],
  ['fcntl_exit', ['redirect']],
  ['flow_state', ['flow', 'packet']],
  ['mmap_exit', ['memory']],
  ['mprotect_exit', ['memory']],
  ['packet_arrives', ['datagram', 'packet']],
  ['packet_leaves', ['datagram', 'packet']],
  ['sendmmsg_exit', ['datagram']],
  ['sendmsg_exit', ['datagram']],
  ['sendto_exit', ['datagram']],
  ['signal_deliver', ['fault']],
  ['socket_release', ['datagram', 'packet']],
]);

/** Run the user-defined probes. */
export const CUSTOM_PROGRAMS: readonly string[] = ['custom_user', 'custom_tracepoint'];

/** Whether a section is that of a probe: it names no target, because user space chooses the file or the tracepoint. */
export const isProbe = (section: string): boolean => /^(u(ret)?probe\b|tracepoint$)/.test(section);

/** Whether programs of this section are attached to a cgroup. */
export const isCgroupHook = (section: string): boolean => /^cgroup(_skb)?\//.test(section);
