import { type EventView, leaf, normalPath, processLeaf, records } from '@ringfence/wire';
import { bodyBoolean, bodyLong, bodyText, type Field, isExec, nonEmpty, ofProcess } from '../field.ts';
import { namedScript } from './named-script.ts';

const flags = bodyLong(leaf.Exec.flags);
const ctime = bodyLong(leaf.Exec.ctime);
const sockets = bodyLong(leaf.Exec.stdioSockets);
const interpreter = bodyText(leaf.Exec.interpreterBytes);
const script = bodyText(leaf.Exec.scriptBytes);
const filename = bodyText(leaf.Exec.filenameBytes);
const executable = bodyText(leaf.Exec.pathBytes);
const cwd = bodyText(leaf.Exec.cwdBytes);
const { ExecFlag: FLAG, Stdio: STDIO } = records;

const execFlag = (bit: number) => (event: EventView) =>
  ((isExec(event) ? flags(event) : (event.process?.execFlags ?? 0)) & bit) !== 0;

/** Returns the path that the kernel opened, else the caller's path, made absolute; its links are not resolved. */
function scriptOf(event: EventView): string | undefined {
  if (!execFlag(FLAG.EXEC_SCRIPT)(event)) return undefined;
  const given = filename(event);
  return nonEmpty(script(event)) ?? nonEmpty(normalPath(given.startsWith('/') ? given : `${cwd(event)}/${given}`));
}

/** A name on the command line is text of the caller, and its links are not resolved. */
function namedScriptOf(event: EventView): string | undefined {
  const known = scriptOf(event);
  if (known !== undefined) return known;
  const name = namedScript(executable(event), event.cursor.leafTexts(leaf.Exec.argvBytes));
  if (name === undefined) return undefined;
  return nonEmpty(normalPath(name.startsWith('/') ? name : `${cwd(event)}/${name}`));
}

const stdio = (bit: number) => (event: EventView) =>
  ((isExec(event) ? sockets(event) : (event.process?.long(processLeaf.stdioSockets) ?? 0)) & bit) !== 0;

export const environmentAt = (event: EventView): readonly string[] =>
  isExec(event) ? event.cursor.leafTexts(leaf.Exec.environmentBytes) : (event.process?.environment ?? []);

/** Returns all variables as NAME=value, or the value of one. */
export function variablesOf(all: readonly string[], name?: string | number): readonly string[] | undefined {
  if (name === undefined) return all.length === 0 ? undefined : all;
  const variable = all.find((entry) => entry.startsWith(`${name}=`));
  return variable === undefined ? undefined : [variable.slice(String(name).length + 1)];
}

/** Fields that describe how a process was started. */
export const execFields: readonly Field[] = [
  {
    name: 'process.stdin.socket',
    type: 'bool',
    doc: 'The standard input was a socket at exec.',
    subject: ofProcess,
    get: stdio(STDIO.INPUT),
  },
  {
    name: 'process.stdout.socket',
    type: 'bool',
    doc: 'The standard output was a socket at exec.',
    subject: ofProcess,
    get: stdio(STDIO.OUTPUT),
  },
  {
    name: 'process.stdin.network',
    type: 'bool',
    doc: 'The standard input was a socket at exec, other than a unix socket.',
    subject: ofProcess,
    get: stdio(STDIO.NETWORK_INPUT),
  },
  {
    name: 'process.stdout.network',
    type: 'bool',
    doc: 'The standard output was a socket at exec, other than a unix socket.',
    subject: ofProcess,
    get: stdio(STDIO.NETWORK_OUTPUT),
  },
  {
    name: 'process.exec.memfd',
    type: 'bool',
    doc: 'Runs from memory (memfd or unlinked shared memory).',
    aliases: ['proc.is_exe_from_memfd'],
    subject: ofProcess,
    get: execFlag(FLAG.EXEC_MEMFD),
  },
  {
    name: 'process.exec.shortened',
    type: 'bool',
    doc: 'Its cgroup was over its share of a ring that was filling up: arguments and paths are cut, and the environment is missing.',
    subject: ofProcess,
    get: execFlag(FLAG.EXEC_SLIM),
  },
  {
    name: 'process.exec.deleted',
    type: 'bool',
    doc: 'The executable has no name in any directory.',
    subject: ofProcess,
    get: execFlag(FLAG.EXEC_DELETED),
  },
  {
    name: 'process.exec.setuid',
    type: 'bool',
    doc: 'The executable has the set-user-id bit.',
    subject: ofProcess,
    get: execFlag(FLAG.EXEC_SETUID),
  },
  {
    name: 'process.exec.setgid',
    type: 'bool',
    doc: 'The executable has the set-group-id bit.',
    subject: ofProcess,
    get: execFlag(FLAG.EXEC_SETGID),
  },
  {
    name: 'process.exec.privileged',
    type: 'bool',
    doc: 'The exec raised privileges (set-id or file capabilities).',
    subject: ofProcess,
    get: execFlag(FLAG.EXEC_PRIVILEGED),
  },
  {
    name: 'process.exec.upper_layer',
    type: 'bool',
    doc: 'The executable is in the upper layer of an overlay: written in the container, not part of its image.',
    aliases: ['proc.is_exe_upper_layer'],
    subject: ofProcess,
    get: execFlag(FLAG.EXEC_UPPER),
  },
  {
    name: 'process.exec.file_capabilities',
    type: 'bool',
    doc: 'Capabilities of the executable file raised those of the process.',
    subject: ofProcess,
    get: execFlag(FLAG.EXEC_FILE_CAPS),
  },
  {
    name: 'process.exec.is_32bit',
    type: 'bool',
    doc: 'The address space of the program has 32 bits (i386, x32, 32-bit Arm): its system calls are not traced one by one.',
    subject: ofProcess,
    get: execFlag(FLAG['EXEC_32BIT']),
  },
  {
    name: 'process.exec.script',
    type: 'bool',
    doc: 'Started through an interpreter line.',
    subject: ofProcess,
    get: execFlag(FLAG.EXEC_SCRIPT),
  },
  {
    name: 'process.exec.filename',
    type: 'string',
    doc: 'Path that was passed to execve, before links were followed.',
    aliases: ['execve.args.filename', 'evt.arg.filename'],
    kinds: ['exec'],
    get: filename,
  },
  {
    name: 'process.interpreter',
    type: 'string',
    doc: 'Interpreter of a script, from its first line.',
    kinds: ['exec'],
    get: (event) => nonEmpty(interpreter(event)),
  },
  {
    name: 'process.script',
    type: 'string',
    doc: 'Path of the script that the interpreter runs: the file that the kernel opened (full profile), else the argument of execve, made absolute.',
    kinds: ['exec'],
    get: scriptOf,
  },
  {
    name: 'process.named_script',
    type: 'string',
    doc: 'Path of the script that the process runs: `process.script`, or the file that a known interpreter (shells, Python, Perl, Ruby, PHP, Node, Lua) was given as its first argument that is no option, made absolute. Absent for code in an option or on the standard input.',
    kinds: ['exec'],
    get: namedScriptOf,
  },
  {
    name: 'process.env_vars',
    type: 'strings',
    doc: 'NAME=value of the variables of the process at its exec; [NAME] is the value of one variable. Recorded are those that change the behaviour of a program (LD_PRELOAD, BASH_ENV, PYTHONPATH, …) or show the origin of its user, and those whose names rules give: process.env_vars[HTTP_PROXY]. A condition on process.env_vars without a name makes the agent send every variable, secrets too. Absent on processes found at start.',
    aliases: ['proc.env'],
    argument: 'key',
    argumentOptional: true,
    optional: 'environment',
    subject: ofProcess,
    get: (event, name) => variablesOf(environmentAt(event), name),
  },
  {
    name: 'process.exec.snapshot',
    type: 'bool',
    doc: 'The process was already running when the agent started. Rules that do not name this field match on no such event.',
    kinds: ['exec'],
    get: bodyBoolean(leaf.Exec.snapshot),
  },
  {
    name: 'process.exec.file_age',
    type: 'number',
    doc: 'Seconds since the executable file was last changed (inode ctime).',
    kinds: ['exec'],
    get: (event) => Math.max(0, (event.timestamp - ctime(event)) / 1e6),
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
    doc: 'Executable of the process that wrote the executable.',
    kinds: ['exec', 'hash'],
    get: (event) => event.writer?.executable,
  },
  {
    name: 'process.exec.writer.name',
    type: 'string',
    doc: 'Name of the process that wrote the executable.',
    kinds: ['exec', 'hash'],
    get: (event) => event.writer?.name,
  },
  {
    name: 'process.exec.writer.same_container',
    type: 'bool',
    doc: 'The executable was written from inside the container that it runs in; absent on the host.',
    kinds: ['exec', 'hash'],
    get: ({ writer, container, head }) =>
      writer === undefined || container === undefined
        ? undefined
        : head.containers[writer.container]?.id === container.id,
  },
];
