import type { EventView, ProcessInfo } from '@ringfence/wire';
import { leaf, records } from '@ringfence/wire';
import { baseName, bodyText, isExec, nonEmpty } from '../field.ts';

const filename = bodyText(leaf.Exec.filenameBytes);
const executable = bodyText(leaf.Exec.pathBytes);

/** Characters of a name that the kernel keeps (TASK_COMM_LEN). */
const LENGTH = 15;
/** Executables with several names, whose name is the name in the first argument. */
const MANY_NAMES: ReadonlySet<string> = new Set(['busybox', 'toybox', 'coreutils', 'dash', 'bash']);
const INTERPRETER = /^(?:[a-z]*sh|(?:python|perl|ruby|node|php|lua|tclsh|[gm]?awk).*)$/;

const called = new WeakMap<ProcessInfo, string>();

/**
 * Returns Falco's name of a process: the name of the file that it was started from, without following links, cut like
 * the kernel's. After the exec only the arguments may show that name; they are used if they fit the file.
 */
export function nameOf(process: ProcessInfo): string {
  let name = called.get(process);
  if (name === undefined) {
    name = guess(process).slice(0, LENGTH);
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
  // A kernel thread has no file, and its name may look like the path of one.
  const file = path === '' ? filename(event) : baseName(filename(event));
  return (file === '' ? baseName(path) : file).slice(0, LENGTH);
}

export const argsAt = (event: EventView): readonly string[] | undefined =>
  isExec(event) ? event.cursor.leafTexts(leaf.Exec.argvBytes) : event.process?.args;

/** Joins the arguments except the first, which is the name of the program. */
export const restOf = (args: readonly string[]): string => args.slice(1).join(' ');

/** Joins the name and the arguments. */
export const lineOf = (name: string, args: readonly string[]): string =>
  args.length > 1 ? `${name} ${restOf(args)}` : name;
