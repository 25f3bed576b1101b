import { errnoName, errnoText } from './native/errno.ts';

/** Every code this package throws. */
export const bpfErrorCodes = [
  /** libbpf.so.1 is missing or too old */
  'ERR_BPF_LIBRARY',
  /** the object file can't be read or isn't a BPF object */
  'ERR_BPF_OPEN',
  /** the kernel refused a program or a map of the object */
  'ERR_BPF_LOAD',
  'ERR_BPF_ATTACH',
  'ERR_BPF_LINK',
  'ERR_BPF_PIN',
  'ERR_BPF_MAP',
  'ERR_BPF_MMAP',
  'ERR_BPF_RING',
  'ERR_BPF_ITERATOR',
  'ERR_BPF_RUN',
  /** type information is missing or malformed */
  'ERR_BPF_BTF',
  /** no map, program, section or type of that name */
  'ERR_BPF_NOT_FOUND',
  /** the call is wrong whatever the kernel says: a size, a name, an order of calls */
  'ERR_BPF_USAGE',
  /** used after dispose */
  'ERR_BPF_DISPOSED',
] as const;

export type BpfErrorCode = (typeof bpfErrorCodes)[number];

export interface BpfErrorFacts {
  /** libbpf function or system call that failed */
  readonly operation?: string;
  /** positive errno */
  readonly errno?: number;
  /** what libbpf printed during the call, a line each */
  readonly log?: readonly string[];
  readonly cause?: unknown;
}

export class BpfError extends Error {
  readonly code: BpfErrorCode;
  readonly operation: string | undefined;
  /** positive; undefined when no system call failed */
  readonly errno: number | undefined;
  readonly errnoName: string | undefined;
  readonly log: readonly string[];

  constructor(code: BpfErrorCode, message: string, facts: BpfErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'BpfError';
    this.code = code;
    this.operation = facts.operation;
    this.errno = facts.errno;
    this.errnoName = facts.errno === undefined ? undefined : errnoName(facts.errno);
    this.log = facts.log ?? [];
  }
}

/** A program the kernel refused, with everything the verifier said. */
export class BpfLoadError extends BpfError {
  /** the first program that was refused; undefined when it wasn't a program */
  readonly program: string | undefined;
  /** whole, as the kernel wrote it; empty when the verifier said nothing */
  readonly verifierLog: string;

  constructor(message: string, facts: BpfErrorFacts & { program: string | undefined; verifierLog: string }) {
    super('ERR_BPF_LOAD', message, facts);
    this.name = 'BpfLoadError';
    this.program = facts.program;
    this.verifierLog = facts.verifierLog;
  }
}

/** "attaching 'on_exec' failed in bpf_program__attach: EPERM" and libbpf's own warnings below it. */
export function failure(
  code: BpfErrorCode,
  doing: string,
  operation: string,
  errno: number,
  log: readonly string[] = [],
): BpfError {
  const said = log.length === 0 ? '' : `\n${log.join('\n')}`;
  return new BpfError(code, `${doing} failed in ${operation}: ${describe(errno)}${said}`, { operation, errno, log });
}

/** `ENOTSUPP (operation is not supported by this kernel)` */
export function describe(errno: number): string {
  const text = errnoText(errno);
  return text === undefined ? errnoName(errno) : `${errnoName(errno)} (${text})`;
}

export function disposed(what: string): BpfError {
  return new BpfError('ERR_BPF_DISPOSED', `${what} was disposed; open it again to go on using it`);
}

export function usage(message: string): BpfError {
  return new BpfError('ERR_BPF_USAGE', message);
}
