import type { Expression, Test } from '../model/expression.ts';
import type { CompiledRule } from '../model/rule.ts';
import { Excuses } from './excuses.ts';

/** A part of a rule that does not mean what its author thinks. */
export interface Finding {
  readonly code: 'excuse' | 'host-join' | 'impossible-value';
  readonly message: string;
  readonly hint: string;
}

const OF_HOST = 'host.id';
/** Fields whose value is an absolute path, as the kernel gives it. */
const ABSOLUTE: ReadonlySet<string> = new Set([
  'file.path',
  'file.directory',
  'file.reached_path',
  'process.executable',
  'process.parent.executable',
  'process.ancestors.executable',
  'process.exec.writer.executable',
  'process.working_directory',
  'process.script',
  'process.named_script',
]);
/** Paths of objects without a place in a file system: pipe:[12], memfd:x. */
const NAMELESS = /^(?:pipe|socket|anon_inode|memfd|net|mnt|pid|user|uts|ipc|cgroup|time):/;
/** Fields that the kernel cuts to the length of its names. */
const CUT: ReadonlySet<string> = new Set(['falco.proc.name', 'falco.proc.pname', 'falco.proc.aname']);
/** Characters of a name in the kernel (TASK_COMM_LEN without its end). */
const COMM = 15;

/** Finds excuses, sequences that join strangers, and values that a field never has. */
export class PartLint<E> {
  readonly #excuses = new Excuses<E>();

  of(rule: CompiledRule<E>): readonly Finding[] {
    const excuses = this.#excuses.of(rule).map(({ text }): Finding => {
      const message = `rule '${rule.name}' has an excuse that an attacker can make hold: ${text}`;
      const hint = 'Excuse by what only root or the kernel decides, such as process.executable pmatch /usr.';
      return { code: 'excuse', message, hint };
    });
    const values = [...new Set(testsIn(rule.expression).flatMap(impossibleIn))].map((message): Finding => {
      return { code: 'impossible-value', message: `in rule '${rule.name}' ${message}`, hint: '' };
    });
    return [...excuses, ...joinOf(rule), ...values];
  }
}

/** A sequence whose steps have only the host in common mixes strangers. */
function joinOf<E>({ name, sequence }: CompiledRule<E>): Finding[] {
  const steps = sequence?.steps.filter(({ kind }) => kind === 'event') ?? [];
  const isJoined = steps.some(({ by, compares }) => compares.length > 0 || by.some(({ key }) => key !== OF_HOST));
  if (steps.length < 2 || isJoined) return [];
  const message = `the steps of rule '${name}' have only the host in common: it mixes processes that are strangers`;
  return [{ code: 'host-join', message, hint: 'Join them by a process, a session, a user, a file or a container.' }];
}

function testsIn<E>(expression: Expression<E>): Test<E>[] {
  if (expression.kind === 'test') return [expression];
  if ('items' in expression) return expression.items.flatMap(testsIn);
  return 'item' in expression ? testsIn(expression.item) : [];
}

function impossibleIn<E>({ operand, operator, values }: Test<E>): string[] {
  const { field, transforms } = operand;
  const isPlain = transforms.every((transform) => transform === 'lower');
  const isWhole = operator === 'equals' || operator === 'startswith' || operator === 'pathprefix';
  if (isPlain && isWhole && ABSOLUTE.has(field.name)) {
    const wrong = values.map(String).find((value) => !value.startsWith('/') && value !== '' && !NAMELESS.test(value));
    if (wrong !== undefined) return [`'${operand.key}' never is '${wrong}': it begins with a slash`];
  }
  const long =
    CUT.has(field.name) && operator === 'equals' ? values.map(String).find((value) => value.length > COMM) : undefined;
  return long === undefined
    ? []
    : [`'${operand.key.replace('falco.', '')}' never is '${long}': it has at most ${COMM} characters`];
}
