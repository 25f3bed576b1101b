import { type EventView, leaf, type ProcessInfo, records } from '@ringfence/wire';
import { baseName, bodyText, isExec, nonEmpty } from '../field.ts';

const filename = bodyText(leaf.Exec.filenameBytes);
const executable = bodyText(leaf.Exec.pathBytes);

/** Length of a name in the kernel (TASK_COMM_LEN). */
const LENGTH = 15;
/** Executables with several names: the name that the program was called by counts. */
const MANY_NAMES: ReadonlySet<string> = new Set(['busybox', 'toybox', 'coreutils', 'dash', 'bash']);
const INTERPRETER = /^(?:[a-z]*sh|(?:python|perl|ruby|node|php|lua|tclsh|[gm]?awk).*)$/;

const called = new WeakMap<ProcessInfo, string>();

/**
 * Returns Falco's name of the process: the name of the file it was started by, links not followed, truncated as in the
 * kernel. It is unknown of a process that was running before the agent: argument 0 is used if it fits the executable.
 */
export function nameOf(process: ProcessInfo): string {
  let name = called.get(process);
  if (name === undefined) {
    name = (process.startedAs || guess(process)).slice(0, LENGTH);
    called.set(process, name);
  }
  return name;
}

function guess(process: ProcessInfo): string {
  const file = process.name;
  if (INTERPRETER.test(file) && (process.execFlags & records.ExecFlag.EXEC_SCRIPT) !== 0) {
    const [, first = '', second = ''] = process.args;
    return nonEmpty(baseName(first.startsWith('-') ? second : first)) ?? file;
  }
  const name = baseName(process.args[0] ?? '').replace(/^-/, '');
  const fits = name !== '' && (file.startsWith(name) || file.endsWith(name) || MANY_NAMES.has(file));
  return fits ? name : file;
}

export function nameAt(event: EventView): string | undefined {
  if (!isExec(event)) return event.process === undefined ? undefined : nameOf(event.process);
  const path = executable(event);
  // A kernel thread has no file, and its name may look like a path.
  const file = path === '' ? filename(event) : baseName(filename(event));
  return (file === '' ? baseName(path) : file).slice(0, LENGTH);
}

export const argsAt = (event: EventView): readonly string[] | undefined =>
  isExec(event) ? event.cursor.leafTexts(leaf.Exec.argvBytes) : event.process?.args;

/** Joins the arguments without argument 0, the name of the program. */
export const restOf = (args: readonly string[]): string => args.slice(1).join(' ');

/** Joins name and arguments. */
export const lineOf = (name: string, args: readonly string[]): string =>
  args.length > 1 ? `${name} ${restOf(args)}` : name;
