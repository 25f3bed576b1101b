import { readdirSync, readFileSync } from 'node:fs';
import { messageOf, OperatorError } from '@ringfence/base';
import { callNames, sourceName } from '@ringfence/fields';

/** enum tr_argument of bpf/trace.h: how the BPF program reads an argument. */
export const READ = { number: 0, string: 1, strings: 2, input: 3, output: 4 } as const;
export type Read = (typeof READ)[keyof typeof READ];

export interface Argument {
  readonly name: string;
  /** The kernel's declaration: `const char *`. */
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

/** Names of `char *` arguments that the kernel fills. */
const OUTPUT_BUFFERS: ReadonlySet<string> = new Set(['buf', 'ubuf', 'list', 'u_msg_ptr']);
/** Types of an argument that is the length of the argument before it. */
const LENGTH_TYPES: ReadonlySet<string> = new Set(['size_t', 'int', 'unsigned int', 'unsigned', 'unsigned long']);

/**
 * Returns every system call of this architecture by number, with its arguments from tracefs. Throws OperatorError when
 * tracefs can't be read.
 */
export function readSystemCalls(directory: string = EVENTS): Map<number, SystemCall> {
  const events = new Set(listEvents(directory));
  const calls = new Map<number, SystemCall>();
  for (const [number, name] of callNames()) {
    const event = [`${ENTER}${name}`, `${ENTER}${sourceName(name)}`].find((candidate) => events.has(candidate));
    const format = event === undefined ? undefined : readFileSync(`${directory}/${event}/format`, 'latin1');
    calls.set(number, { number, name, arguments: format === undefined ? UNNAMED : parseArguments(format, name) });
  }
  return calls;
}

function listEvents(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (cause) {
    throw new OperatorError(
      `can't read the descriptions of system calls in ${directory}: ${messageOf(cause)}\n` +
        'Run as root, with tracefs mounted: mount -t tracefs tracefs /sys/kernel/tracing',
      { cause },
    );
  }
}

/** Arguments of a call that tracefs does not describe. */
export const UNNAMED: readonly Argument[] = Array.from({ length: 6 }, (_, index) => ({
  name: `arg${index}`,
  type: 'unsigned long',
  read: READ.number,
}));

/** Parses the arguments in the `format` file of a call's entry event. */
export function parseArguments(format: string, call: string): Argument[] {
  const declared = Array.from(format.matchAll(/^\tfield:(.+?)\s*(\w+);\toffset:(\d+);/gm), (match) => ({
    type: match[1] ?? '',
    name: match[2] ?? '',
  }));
  const first = declared.findIndex(({ name }) => name === '__syscall_nr') + 1;
  const fields = declared.slice(first, first + 6);
  return fields.map(({ type, name }, index) => ({ type, name, read: readOf(call, type, name, fields[index + 1]) }));
}

function readOf(call: string, type: string, name: string, next: Pick<Argument, 'type' | 'name'> | undefined): Read {
  const hasLength = next !== undefined && LENGTH_TYPES.has(next.type) && /len|size|count/.test(next.name);
  // The environment is not read: it is long, always the same, and contains secrets.
  if (type === 'const char *const *') return name === 'envp' ? READ.number : READ.strings;
  if (type === 'struct sockaddr *') return hasLength ? READ.input : READ.number;
  if (/^(send|mq_timedsend)/.test(call) && hasLength && (name === 'buff' || name === 'u_msg_ptr')) return READ.input;
  if (call === 'recvfrom' && name === 'ubuf') return READ.output;
  if (type === 'const char *') return hasLength && name.endsWith('buf') ? READ.input : READ.string;
  if (type === 'char *') return readOfCharPointer(call, name);
  return READ.number;
}

/** A `char *` is an output buffer, or an input string whose declaration lacks `const`. */
function readOfCharPointer(call: string, name: string): Read {
  if (call === 'shmdt' || call === 'shmat' || call.endsWith('sockopt')) return READ.number;
  return OUTPUT_BUFFERS.has(name) ? READ.output : READ.string;
}

/** Returns the numbers of the named calls. Throws OperatorError for an unknown name, with similar names. */
export function numbersOf(names: readonly string[], calls: ReadonlyMap<number, SystemCall>): Set<number> {
  const known = new Map(Array.from(calls.values(), (call) => [call.name, call.number]));
  return new Set(
    names.map((name) => {
      const number = known.get(name);
      if (number !== undefined) return number;
      const similar = [...known.keys()].filter(
        (candidate) => name !== '' && (candidate.includes(name) || name.includes(candidate)),
      );
      const hint = similar.length === 0 ? '' : `; did you mean ${similar.slice(0, 8).join(', ')}?`;
      throw new OperatorError(`--syscall ${name}: there is no such system call${hint}`);
    }),
  );
}
