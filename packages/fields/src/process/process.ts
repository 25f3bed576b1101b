import { type EventView, executableName, KIND, leaf, type ProcessInfo, processLeaf, records } from '@ringfence/wire';
import {
  ancestors,
  bodyLong,
  bodyText,
  type Field,
  type FieldValue,
  isExec,
  nonEmpty,
  ofLineage,
  ofParent,
  ofProcess,
} from '../field.ts';
import { logField } from '../host/log.ts';
import { leaderOf } from './leader.ts';

const execPath = bodyText(leaf.Exec.pathBytes);
const hashPath = bodyText(leaf.Hash.pathBytes);
const execCwd = bodyText(leaf.Exec.cwdBytes);
const exitDuration = bodyLong(leaf.Exit.duration);

/** The process may have executed another program before its hash arrived: a hash event holds the path it belongs to. */
function executable(event: EventView): string | undefined {
  if (isExec(event)) return nonEmpty(execPath(event));
  const { cursor } = event;
  const ofIt = cursor.kind === KIND.Hash && !cursor.leafBoolean(leaf.Hash.script);
  return nonEmpty((ofIt && hashPath(event)) || event.process?.executable);
}

const args = (event: EventView): readonly string[] | undefined =>
  isExec(event) ? event.cursor.leafTexts(leaf.Exec.argvBytes) : event.process?.args;

const commandLine = (event: EventView): string | undefined =>
  isExec(event) ? args(event)?.join(' ') : event.process?.commandLine;

const argsLength = (event: EventView): number | undefined =>
  isExec(event) ? event.cursor.leafLong(leaf.Exec.argvLength) : event.process?.long(processLeaf.argsLength);

type Of = (process: ProcessInfo) => FieldValue;
/** Reads a value of the parent; undefined if empty, because an unknown parent has empty texts. */
const parent = (get: Of) => (event: EventView) => {
  const value = event.process?.parent === undefined ? undefined : get(event.process.parent);
  return value === '' ? undefined : value;
};

/** Every container descends from its engine, which may be a server as well. */
function serving(event: EventView): readonly string[] | undefined {
  const found: string[] = [];
  const { process } = event;
  for (let above = process?.parent; above !== undefined && above.container === process?.container; above = above.parent)
    if (above.long(processLeaf.serverPort) > 0) found.push(above.executable);
  return found.length > 0 ? found : undefined;
}

const namespace = (name: 'mnt' | 'pid' | 'net' | 'user') => ({
  name: `process.namespace.${name}`,
  type: 'number' as const,
  doc: `Inode number of its ${name} namespace.`,
  subject: ofProcess,
  get: (event: EventView) => event.process?.long(processLeaf.namespaces[name]),
});

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
    doc: 'Process id in the pid namespace of the process.',
    aliases: ['proc.vpid'],
    subject: ofProcess,
    get: (event) => event.process?.long(processLeaf.namespaces.pidInNs),
  },
  {
    name: 'process.entity_id',
    type: 'string',
    doc: 'Identity of the process, unique across hosts and time.',
    subject: ofProcess,
    get: (event) => event.process?.entityId,
  },
  {
    name: 'process.name',
    type: 'string',
    doc: "Last component of the executable's path, or the name of a kernel thread.",
    aliases: ['proc.name'],
    part: { of: 'process.executable', is: 'name' },
    subject: ofProcess,
    get: (event) => {
      const path = executable(event);
      return path === undefined ? undefined : executableName(path);
    },
  },
  {
    name: 'process.executable',
    type: 'string',
    doc: 'Path of the executable, from the kernel.',
    aliases: ['proc.exepath', 'Image'],
    subject: ofProcess,
    get: executable,
  },
  {
    name: 'process.args',
    type: 'strings',
    doc: 'Arguments; [0] is the name that the program was called by.',
    aliases: ['proc.args'],
    argument: 'index',
    argumentOptional: true,
    subject: ofProcess,
    get(event, argument) {
      const all = args(event);
      if (typeof argument !== 'number') return all;
      const word = all?.[argument];
      return word === undefined ? undefined : [word];
    },
  },
  {
    name: 'process.command_line',
    type: 'string',
    doc: 'Arguments joined by spaces; on log lines the command that the line reports.',
    aliases: ['proc.cmdline', 'CommandLine'],
    subject: ofProcess,
    get: (event) => logField.command(event) ?? commandLine(event),
  },
  {
    name: 'process.args_length',
    type: 'number',
    doc: 'Length of all arguments in bytes, with a byte between them, also where only a part of them was kept.',
    subject: ofProcess,
    get: argsLength,
  },
  {
    name: 'process.args_cut',
    type: 'bool',
    doc: 'The arguments were too long to be kept whole: a part in the middle is missing from `process.args` and `process.command_line`.',
    subject: ofProcess,
    get: (event) => {
      const length = argsLength(event);
      if (length === undefined) return undefined;
      return length > (isExec(event) ? event.cursor.leafLength(leaf.Exec.argvBytes) : records.Limit.ARGV_MAX);
    },
  },
  {
    name: 'process.working_directory',
    type: 'string',
    doc: 'Current directory at the last exec.',
    aliases: ['proc.cwd', 'CurrentDirectory'],
    subject: ofProcess,
    get: (event) =>
      logField.workingDirectory(event) ?? nonEmpty(isExec(event) ? execCwd(event) : event.process?.workingDirectory),
  },
  {
    name: 'process.tty',
    type: 'number',
    doc: 'Device number of the controlling terminal; 0: none.',
    aliases: ['proc.tty'],
    subject: ofProcess,
    get: (event) => event.process?.long(processLeaf.tty),
  },
  {
    name: 'process.session.id',
    type: 'number',
    doc: 'Audit session.',
    subject: ofProcess,
    get: (event) => event.process?.long(processLeaf.sessionId),
  },
  {
    name: 'process.group_leader.vpid',
    type: 'number',
    doc: 'Process id of the leader of the process group in the pid namespace of the process, at the last exec.',
    aliases: ['proc.vpgid'],
    subject: ofProcess,
    get: (event) => event.process?.long(processLeaf.processGroup) || undefined,
  },
  {
    name: 'process.session_leader.vpid',
    type: 'number',
    doc: 'Process id of the leader of the session (setsid) in the pid namespace of the process, at the last exec.',
    aliases: ['proc.sid'],
    subject: ofProcess,
    get: (event) => event.process?.long(processLeaf.processSession) || undefined,
  },
  {
    name: 'process.session_leader.name',
    type: 'string',
    doc: 'Name of the leader of the session, or of the eldest ancestor in the same session.',
    subject: ofProcess,
    get: (event) => leaderOf(event.process, 'processSession')?.name,
  },
  {
    name: 'process.session_leader.entity_id',
    type: 'string',
    doc: 'Identity of the leader of the session, or of the eldest ancestor in the same session.',
    subject: ofProcess,
    get: (event) => leaderOf(event.process, 'processSession')?.entityId,
  },
  {
    name: 'process.server.port',
    type: 'number',
    doc: 'TCP port on which the process, or the one that it was forked from, listens for other machines; absent: none that the agent has seen it open.',
    subject: ofProcess,
    get: (event) => event.process?.long(processLeaf.serverPort) || undefined,
  },
  {
    name: 'process.server.local_port',
    type: 'number',
    doc: 'As `process.server.port`, on an address of the loopback interface.',
    subject: ofProcess,
    get: (event) => event.process?.long(processLeaf.localServerPort) || undefined,
  },
  {
    name: 'process.parent.pid',
    type: 'number',
    doc: 'Process id of the parent.',
    aliases: ['proc.ppid', 'ParentProcessId'],
    subject: ofParent,
    get: parent((p) => p.pid),
  },
  {
    name: 'process.parent.name',
    type: 'string',
    doc: "Last component of the parent's executable.",
    aliases: ['proc.pname'],
    subject: ofParent,
    get: parent((p) => p.name),
  },
  {
    name: 'process.parent.executable',
    type: 'string',
    doc: "Parent's executable.",
    aliases: ['proc.pexepath', 'ParentImage'],
    subject: ofParent,
    get: parent((p) => p.executable),
  },
  {
    name: 'process.parent.command_line',
    type: 'string',
    doc: "Parent's arguments.",
    aliases: ['proc.pcmdline', 'ParentCommandLine'],
    subject: ofParent,
    get: parent((p) => p.commandLine),
  },
  {
    name: 'process.parent.entity_id',
    type: 'string',
    doc: "Parent's identity.",
    subject: ofParent,
    get: parent((p) => p.entityId),
  },
  {
    name: 'process.parent.stdin.socket',
    type: 'bool',
    doc: "The parent's standard input was a socket.",
    subject: ofParent,
    get: parent((p) => (p.long(processLeaf.stdioSockets) & records.Stdio.INPUT) !== 0),
  },
  {
    name: 'process.parent.stdin.network',
    type: 'bool',
    doc: "The parent's standard input was a socket, other than a unix socket.",
    subject: ofParent,
    get: parent((p) => (p.long(processLeaf.stdioSockets) & records.Stdio.NETWORK_INPUT) !== 0),
  },
  {
    name: 'process.parent.server.port',
    type: 'number',
    doc: '`process.server.port` of the parent.',
    subject: ofParent,
    get: parent((p) => p.long(processLeaf.serverPort) || undefined),
  },
  {
    name: 'process.parent.server.local_port',
    type: 'number',
    doc: '`process.server.local_port` of the parent.',
    subject: ofParent,
    get: parent((p) => p.long(processLeaf.localServerPort) || undefined),
  },
  {
    name: 'process.ancestors.name',
    type: 'strings',
    doc: 'Names of the ancestors; [1] is the parent.',
    aliases: ['proc.aname'],
    argument: 'index',
    argumentOptional: true,
    subject: ofLineage,
    get: ancestors((p) => p.name),
  },
  {
    name: 'process.ancestors.executable',
    type: 'strings',
    doc: 'Executables of the ancestors; [1] is the parent.',
    aliases: ['proc.aexepath'],
    argument: 'index',
    argumentOptional: true,
    subject: ofLineage,
    get: ancestors((p) => p.executable),
  },
  {
    name: 'process.ancestors.serving',
    type: 'strings',
    doc: 'Executables of the ancestors in the same container that listen for other machines (`process.server.port`).',
    subject: ofProcess,
    get: serving,
  },
  {
    name: 'process.exit_code',
    type: 'number',
    doc: 'Exit code, 0 to 255.',
    kinds: ['exit'],
    get: bodyLong(leaf.Exit.code),
  },
  {
    name: 'process.exit_signal',
    type: 'number',
    doc: 'Signal that ended the process; 0: none.',
    kinds: ['exit'],
    get: bodyLong(leaf.Exit.signal),
  },
  {
    name: 'process.uptime',
    type: 'number',
    doc: 'Lifetime of the process, seconds.',
    kinds: ['exit'],
    get: (event) => exitDuration(event) / 1e6,
  },
  namespace('pid'),
  namespace('mnt'),
  namespace('net'),
  namespace('user'),
];
