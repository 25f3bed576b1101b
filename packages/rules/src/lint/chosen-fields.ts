import type { Test } from '../model/expression.ts';

/** Texts that the author of a program's start or of a message chooses. */
const TEXTS: ReadonlySet<string> = new Set([
  'process.command_line',
  'process.args',
  'process.working_directory',
  'process.env_vars',
  'process.exec.filename',
  'process.named_script',
  'process.parent.command_line',
  'attempt.path',
  'attempt.name',
  'attempt.args',
  'memory.path',
  'network.unix.path',
  'dns.question.name',
  'tls.client.server_name',
  'message',
  'ringfence.shell.line',
  'falco.proc.args',
  'falco.proc.cmdline',
  'falco.proc.pcmdline',
  'falco.proc.acmdline',
  'falco.proc.exe',
  'falco.proc.pexe',
  'falco.proc.exeline',
]);
/** Names of programs: the author of a file chooses its name. */
const NAMES: ReadonlySet<string> = new Set([
  'process.name',
  'process.parent.name',
  'process.ancestors.name',
  'process.exec.writer.name',
  'falco.proc.name',
  'falco.proc.pname',
  'falco.proc.aname',
]);
/** Paths of programs. In folders where only root installs programs nobody else chooses them. */
const PROGRAMS: ReadonlySet<string> = new Set([
  'process.script',
  'process.executable',
  'process.parent.executable',
  'process.ancestors.executable',
  'process.exec.writer.executable',
]);
const INSTALLED =
  /^\/(?:usr|bin|sbin|lib|lib64|snap|opt|app|etc|kaniko|(?:nix|gnu)\/store|var\/(?:opt|ossec|lib))(?:\/|$)/;
const INSTALLED_PATTERN =
  /^\^\/(?:usr|bin|sbin|lib|lib64|snap|opt|\((?:(?:usr|bin|sbin|lib|lib64|snap|opt|local)[|/)])+)/;

/** Fields with the path of the program that a field names. */
const PATH_OF: Readonly<Record<string, string>> = {
  'process.name': 'process.executable',
  'falco.proc.name': 'process.executable',
  'process.parent.name': 'process.parent.executable',
  'falco.proc.pname': 'process.parent.executable',
  'process.exec.writer.name': 'process.exec.writer.executable',
};

/** Whether the comparison holds only for programs that root has installed. @returns the field of their path */
export function installedBy<E>({ operand, operator, values, negated }: Test<E>): string | undefined {
  const { name } = operand.field;
  const isCertain = PROGRAMS.has(name) && !negated && operand.transforms.length === 0 && values.length > 0;
  return isCertain && values.every((value) => isInstalled(operator, String(value))) ? name : undefined;
}

/** Returns the field with the path of the program that the operand names, if it names one. */
export const pathOf = <E>({ operand }: Test<E>): string | undefined => PATH_OF[operand.field.name];

/** Whether an attacker can make the comparison hold, by a text, a name or a path of his choice. */
export function isChosen<E>({ operand, operator, values, comparedWith }: Test<E>): boolean {
  const { name } = operand.field;
  if (comparedWith !== undefined || operator === 'exists') return false;
  if (NAMES.has(name)) return true;
  if (PROGRAMS.has(name)) return !values.every((value) => isInstalled(operator, String(value)));
  if (!TEXTS.has(name) || operand.transforms.at(-1) === 'length') return false;
  // A line that is given whole leaves no room for anything else.
  if (operator === 'equals' && operand.type === 'string') return false;
  return operator !== 'regex' || !values.every((value) => isWholeLine(String(value)));
}

function isInstalled(operator: Test<unknown>['operator'], value: string): boolean {
  if (operator === 'regex') return INSTALLED_PATTERN.test(value);
  return ['equals', 'startswith', 'pathprefix', 'glob'].includes(operator) && INSTALLED.test(value);
}

/** An expression for the whole line that names every character it allows. */
const isWholeLine = (pattern: string): boolean =>
  pattern.startsWith('^') && /(?:^|[^\\])\$$/.test(pattern) && !/(?:^|[^\\])\.[*+]|\\[SWD][*+]/.test(pattern);
