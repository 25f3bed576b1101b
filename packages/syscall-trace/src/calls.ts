import { readdirSync, readFileSync } from 'node:fs';
import { OperatorError } from '@ringfence/base';
import { callNames, sourceName } from '@ringfence/fields';

/** enum tr_argument: how the kernel's side reads an argument. */
export const READ = { number: 0, string: 1, strings: 2, input: 3, output: 4 } as const;
export type Read = (typeof READ)[keyof typeof READ];

export interface Argument {
  readonly name: string;
  /** as the kernel declares it: `const char *` */
  readonly type: string;
  readonly read: Read;
}

export interface SystemCall {
  readonly number: number;
  readonly name: string;
  readonly arguments: readonly Argument[];
}

const EVENTS = '/sys/kernel/tracing/events/syscalls';
const ENTER = 'sys_enter_';

/** Buffers that the kernel fills, declared as text. */
const FILLED: ReadonlySet<string> = new Set(['buf', 'ubuf', 'list', 'u_msg_ptr']);
/** Sizes by which an argument's own length is known. */
const LENGTHS: ReadonlySet<string> = new Set(['size_t', 'int', 'unsigned int', 'unsigned', 'unsigned long']);

/** Every system call of this architecture, by number, with what tracefs says of its arguments. */
export function readCalls(events: string = EVENTS): Map<number, SystemCall> {
  const formats = new Set(entries(events));
  const calls = new Map<number, SystemCall>();
  for (const [number, name] of callNames()) {
    const format = [`${ENTER}${name}`, `${ENTER}${sourceName(name)}`].find((event) => formats.has(event));
    const text = format === undefined ? undefined : readFileSync(`${events}/${format}/format`, 'latin1');
    calls.set(number, { number, name, arguments: text === undefined ? unknown : parseArguments(text, name) });
  }
  return calls;
}

function entries(events: string): string[] {
  try {
    return readdirSync(events);
  } catch (cause) {
    const why = `${events} can't be read, where the kernel describes its system calls: ${(cause as Error).message}`;
    throw new OperatorError(`${why}\nRun as root, with tracefs mounted: mount -t tracefs tracefs /sys/kernel/tracing`, {
      cause,
    });
  }
}

/** Of a call that this kernel doesn't describe, often because it doesn't have it. */
const unknown: readonly Argument[] = Array.from({ length: 6 }, (_, index) => ({
  name: `arg${index}`,
  type: 'unsigned long',
  read: READ.number,
}));

/** The fields of a `format` file behind the number of the call. */
export function parseArguments(format: string, call: string): Argument[] {
  const declared = Array.from(format.matchAll(/^\tfield:(.+?)\s*(\w+);\toffset:(\d+);/gm), (match) => ({
    type: match[1] ?? '',
    name: match[2] ?? '',
  }));
  const from = declared.findIndex(({ name }) => name === '__syscall_nr') + 1;
  const own = declared.slice(from, from + 6);
  return own.map(({ type, name }, index) => ({ type, name, read: readOf(call, type, name, own[index + 1]) }));
}

function readOf(call: string, type: string, name: string, next: Pick<Argument, 'type' | 'name'> | undefined): Read {
  const measured = next !== undefined && LENGTHS.has(next.type) && /len|size|count/.test(next.name);
  // Not the environment: it is long, always the same, and holds secrets.
  if (type === 'const char *const *') return name === 'envp' ? READ.number : READ.strings;
  if (type === 'struct sockaddr *') return measured ? READ.input : READ.number;
  if (/^(send|mq_timedsend)/.test(call) && measured && (name === 'buff' || name === 'u_msg_ptr')) return READ.input;
  if (call === 'recvfrom' && name === 'ubuf') return READ.output;
  if (type === 'const char *') return measured && name.endsWith('buf') ? READ.input : READ.string;
  if (type === 'char *') return textOf(call, name);
  return READ.number;
}

/** `char *` is written by the kernel, or read though nobody has written `const`. */
function textOf(call: string, name: string): Read {
  if (call === 'shmdt' || call === 'shmat' || call.endsWith('sockopt')) return READ.number;
  return FILLED.has(name) ? READ.output : READ.string;
}

/** Numbers of the named calls. @throws OperatorError for a name that no call has, with those that are near */
export function numbersOf(names: readonly string[], calls: ReadonlyMap<number, SystemCall>): Set<number> {
  const known = new Map(Array.from(calls.values(), (call) => [call.name, call.number]));
  return new Set(
    names.map((name) => {
      const number = known.get(name);
      if (number !== undefined) return number;
      const near = [...known.keys()].filter((one) => name !== '' && (one.includes(name) || name.includes(one)));
      const hint = near.length === 0 ? '' : `; did you mean ${near.slice(0, 8).join(', ')}?`;
      throw new OperatorError(`--syscall ${name}: there is no such system call${hint}`);
    }),
  );
}
