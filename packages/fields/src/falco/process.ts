import {
  type EventView,
  leaf,
  nanosToMicros,
  type ProcessInfo,
  processLeaf,
  UNSET_ID,
  u64ToBigInt,
} from '@ringfence/wire';
import {
  ancestors,
  bodyLong,
  type Field,
  type FieldValue,
  isExec,
  MAX_ANCESTORS,
  nonEmpty,
  ofEvent,
  ofLineage,
  ofParent,
  ofProcess,
} from '../field.ts';
import { variablesOf } from '../process/exec.ts';
import { falco, never } from './define.ts';
import { argsAt, lineOf, nameAt, nameOf, restOf } from './names.ts';
import { sessionFields } from './sessions.ts';

const SHELLS: ReadonlySet<string> = new Set(['ash', 'bash', 'csh', 'dash', 'fish', 'ksh', 'sh', 'tcsh', 'zsh']);

const mode = bodyLong(leaf.Exec.mode);
const owner = bodyLong(leaf.Exec.owner);
const ctime = bodyLong(leaf.Exec.ctime);
const mtime = bodyLong(leaf.Exec.mtime);

type Of = (process: ProcessInfo) => string;

/** Like `ancestors`, but [0] is the process itself. */
const withItself = (ofItself: (event: EventView) => string | undefined, of: Of): Field['get'] => {
  const above = ancestors(of);
  return (event, argument) => (argument === 0 ? listOf(ofItself(event)) : above(event, argument));
};

const listOf = (value: string | undefined): string[] | undefined => (value === undefined ? undefined : [value]);

const lineage = (
  name: string,
  doc: string,
  ofItself: (event: EventView) => string | undefined,
  of: Of,
  subject: Field['subject'] = ofLineage,
): Field =>
  falco(name, 'strings', `${doc} of the ancestors; [1] is the parent.`, withItself(ofItself, of), {
    argument: 'index',
    argumentOptional: true,
    subject,
  });
const parent =
  (of: (process: ProcessInfo) => FieldValue): Field['get'] =>
  ({ process }) => {
    const value = process?.parent === undefined ? undefined : of(process.parent);
    return value === '' ? undefined : value;
  };

const exeOf = (args: readonly string[] | undefined): string | undefined => args?.[0];
const exe: Of = ({ args, executable }) => args[0] ?? executable;
const commandLine: Of = (process) => lineOf(nameOf(process), process.args);

function commandLineAt(event: EventView): string | undefined {
  const name = nameAt(event);
  return name === undefined ? undefined : lineOf(name, argsAt(event) ?? []);
}

/** µs, on the clock of the events. */
const startOf = (process: ProcessInfo): number => nanosToMicros(process.raw.start);
const startAt = ({ cursor }: EventView): number => nanosToMicros(cursor.buffer, cursor.startAt);
const toNanos = (micros: number): number => micros * 1000;

/** Returns the pid of the topmost shell among the process and its ancestors. */
function loginShell({ process }: EventView): number | undefined {
  let found: number | undefined;
  for (let ancestor = process, i = 0; ancestor !== undefined && i < MAX_ANCESTORS; ancestor = ancestor.parent, i++)
    if (SHELLS.has(nameOf(ancestor))) found = ancestor.pid;
  return found;
}

/** True if the user who started the process can write to its executable. */
function writable(event: EventView): boolean {
  const euid = event.process?.euid;
  return euid === 0 || (mode(event) & 0o002) !== 0 || (euid === owner(event) && (mode(event) & 0o200) !== 0);
}

const execCtime = (event: EventView): number | undefined =>
  isExec(event) ? ctime(event) : event.process?.long(processLeaf.executableCtime);

const ENVIRONMENTS = 20;

/** Returns the environment variables of the ancestor at a level, or of all ancestors. */
function ancestorVariables({ process }: EventView, argument?: string | number): readonly string[] | undefined {
  const level = /^\d+$/.test(String(argument)) ? Number(argument) : undefined;
  if (level !== undefined) return variablesOf((level === 0 ? undefined : process?.ancestor(level))?.environment ?? []);
  const found: string[] = [];
  let ancestor = process?.parent;
  for (let at = 0; at < ENVIRONMENTS && ancestor !== undefined; at++, ancestor = ancestor.parent) {
    const variables = variablesOf(ancestor.environment, argument);
    if (variables !== undefined && argument !== undefined) return variables;
    found.push(...(variables ?? []));
  }
  return found.length === 0 ? undefined : found;
}

const USAGE = 'resource usage of processes (descriptors, memory, time) is not measured';

/** proc and thread. */
export const falcoProcessFields: readonly Field[] = [
  falco(
    'proc.name',
    'string',
    'Name of the file that the process was started by, links not followed, truncated to 15 characters.',
    nameAt,
    { subject: ofProcess },
  ),
  falco('proc.pname', 'string', 'proc.name of the parent.', parent(nameOf), { subject: ofParent }),
  lineage('proc.aname', 'Names', nameAt, nameOf),
  falco('proc.exe', 'string', 'First argument.', (event) => exeOf(argsAt(event)), { subject: ofProcess }),
  falco('proc.pexe', 'string', 'First argument of the parent.', parent(exe), { subject: ofParent }),
  lineage('proc.aexe', 'First arguments', (event) => exeOf(argsAt(event)), exe),
  falco(
    'proc.args',
    'string',
    'Arguments without the first, joined by spaces.',
    (event) => {
      const args = argsAt(event);
      return args === undefined ? undefined : restOf(args);
    },
    { subject: ofProcess },
  ),
  falco('proc.cmdline', 'string', 'Name and arguments.', commandLineAt, { subject: ofProcess }),
  falco('proc.pcmdline', 'string', 'Name and arguments of the parent.', parent(commandLine), { subject: ofParent }),
  lineage('proc.acmdline', 'Names and arguments', commandLineAt, commandLine),
  falco('proc.exeline', 'string', 'All arguments, joined by spaces.', (event) => argsAt(event)?.join(' '), {
    subject: ofProcess,
  }),
  falco(
    'proc.cmdnargs',
    'number',
    'Number of arguments without the first.',
    (event) => {
      const args = argsAt(event);
      return args && Math.max(0, args.length - 1);
    },
    { subject: ofProcess },
  ),
  falco(
    'proc.cmdlenargs',
    'number',
    'Characters of all arguments without the first.',
    (event) =>
      argsAt(event)
        ?.slice(1)
        .reduce((sum, arg) => sum + arg.length, 0),
    { subject: ofProcess },
  ),
  lineage(
    'proc.apid',
    'Process ids',
    (event) => String(event.cursor.tgid),
    (process) => String(process.pid),
    (argument) => (argument === 0 ? ofEvent : ofParent),
  ),
  falco(
    'proc.pvpid',
    'number',
    'Process id of the parent in its own pid namespace.',
    parent((process) => process.long(processLeaf.namespaces.pidInNs)),
    { subject: ofParent },
  ),
  falco('proc.loginshellid', 'number', 'Process id of the topmost shell among the ancestors.', loginShell, {
    subject: ofProcess,
  }),
  falco(
    'proc.aenv',
    'strings',
    'Environment of the ancestors, up to the 20th: [2] of the grandparent, [NAME] the variable of the nearest ancestor that has it. As `process.env_vars`, a condition without a name makes the agent send every variable.',
    ancestorVariables,
    { argument: 'key', argumentOptional: true, optional: 'environment', subject: ofParent },
  ),
  ...sessionFields,
  falco('proc.duration', 'number', 'ns since the process was started.', (event) =>
    toNanos(event.cursor.ktime - startAt(event)),
  ),
  falco('proc.ppid.duration', 'number', 'ns since the parent was started.', ({ process, cursor }) =>
    process?.parent === undefined ? undefined : toNanos(cursor.ktime - startOf(process.parent)),
  ),
  falco('proc.pid.ts', 'number', 'Start time of the process, ns since the epoch.', (event) =>
    toNanos(startAt(event) + event.head.wallOffset),
  ),
  falco('proc.ppid.ts', 'number', 'Start time of the parent, ns since the epoch.', ({ process, head }) =>
    process?.parent === undefined ? undefined : toNanos(startOf(process.parent) + head.wallOffset),
  ),
  falco('proc.is_exe_writable', 'bool', 'The user who started the process can write to its executable.', writable, {
    kinds: ['exec'],
  }),
  falco('proc.exe_ino', 'number', 'Inode number of the executable.', ({ process }) =>
    process === undefined ? undefined : Number(u64ToBigInt(process.raw.executableInode)),
  ),
  falco('proc.exe_ino.ctime', 'number', 'Last change of the executable (ctime), ns since the epoch.', (event) => {
    const at = execCtime(event);
    return at === undefined ? undefined : toNanos(at);
  }),
  falco(
    'proc.exe_ino.mtime',
    'number',
    'Last write to the executable (mtime), ns since the epoch.',
    (event) => toNanos(mtime(event)),
    { kinds: ['exec'] },
  ),
  falco(
    'proc.exe_ino.ctime_duration_proc_start',
    'number',
    'ns from the last change of the executable to the start of the process.',
    (event) => {
      const at = execCtime(event);
      return at === undefined ? undefined : toNanos(Math.max(0, startAt(event) + event.head.wallOffset - at));
    },
  ),
  falco('thread.ismain', 'bool', 'The main thread caused the event.', ({ cursor }) => cursor.tid === cursor.tgid),
  falco('thread.cgroups', 'string', 'Cgroup of the container.', (event) => event.container?.path || undefined),
  falco(
    'user.loginuid',
    'number',
    'Id of the user who logged in; -1: no login.',
    ({ process }) => {
      const id = process?.long(processLeaf.loginuid);
      return id === UNSET_ID ? -1 : id;
    },
    { subject: ofProcess },
  ),
  falco(
    'user.loginname',
    'string',
    'Name of the user who logged in, if it is root or the user of the process.',
    ({ process }) => {
      const id = process?.long(processLeaf.loginuid) ?? UNSET_ID;
      if (process === undefined || id === UNSET_ID) return undefined;
      if (id === 0) return 'root';
      return id === process.euid ? nonEmpty(process.user) : undefined;
    },
    { subject: ofProcess },
  ),
  falco(
    'group.name',
    'string',
    'root for group 0, else absent.',
    ({ process }) => (process?.long(processLeaf.credentials.egid) === 0 ? 'root' : undefined),
    { subject: ofProcess },
  ),
  ...never(
    USAGE,
    'proc.fdopencount proc.fdlimit proc.fdusage proc.vmsize proc.vmrss proc.vmswap proc.nthreads proc.nchilds thread.pfmajor thread.pfminor thread.exectime thread.totexectime thread.cpu thread.cpu.user thread.cpu.system thread.vmsize thread.vmrss thread.cgroup',
  ),
  ...never(
    'types and names of standard streams are not recorded, only whether they are sockets: process.stdin.network, process.stdout.network',
    'proc.stdin.type proc.stdout.type proc.stderr.type proc.stdin.name proc.stdout.name proc.stderr.name',
  ),
  ...never('the lower layer of an overlay is not recorded; use proc.is_exe_upper_layer', 'proc.is_exe_lower_layer'),
  ...never(
    'the start time of pid namespaces is not recorded; use container.start_ts',
    'proc.pidns_init_start_ts proc.exe_ino.ctime_duration_pidns_start',
  ),
  ...never('thread ids are those of the host only', 'thread.vtid'),
  ...never(
    'probes of runtimes are not distinguished from other processes; container.entry = exec comes close',
    'proc.is_container_healthcheck proc.is_container_liveness_probe proc.is_container_readiness_probe',
  ),
  ...never('only names are read from the user database', 'user.homedir user.shell'),
];
