import { errnoName, errnoText } from './native/errno.ts';

/** All error codes of this package. */
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
  /** the arguments or the order of calls are invalid, on any kernel */
  'ERR_BPF_USAGE',
  /** used after dispose */
  'ERR_BPF_DISPOSED',
] as const;

export type BpfErrorCode = (typeof bpfErrorCodes)[number];

export interface BpfErrorDetails {
  /** libbpf function or system call that failed */
  readonly operation?: string;
  /** positive errno */
  readonly errno?: number;
  /** lines that libbpf printed during the call */
  readonly log?: readonly string[];
  readonly cause?: unknown;
}

export class BpfError extends Error {
  readonly code: BpfErrorCode;
  readonly operation: string | undefined;
  /** positive errno; undefined when no system call failed */
  readonly errno: number | undefined;
  readonly errnoName: string | undefined;
  readonly log: readonly string[];

  constructor(code: BpfErrorCode, message: string, details: BpfErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'BpfError';
    this.code = code;
    this.operation = details.operation;
    this.errno = details.errno;
    this.errnoName = details.errno === undefined ? undefined : errnoName(details.errno);
    this.log = details.log ?? [];
  }
}

/** The kernel refused to load an object. Carries the verifier's log when a program was refused. */
export class BpfLoadError extends BpfError {
  /** first program that the kernel refused; undefined when it refused something else */
  readonly program: string | undefined;
  /** the kernel's complete text; empty when the verifier wrote nothing */
  readonly verifierLog: string;

  constructor(message: string, details: BpfErrorDetails & { program: string | undefined; verifierLog: string }) {
    super('ERR_BPF_LOAD', message, details);
    this.name = 'BpfLoadError';
    this.program = details.program;
    this.verifierLog = details.verifierLog;
  }
}

/**
 * Returns an error such as "attaching 'on_exec' failed in bpf_program__attach: EPERM", followed by libbpf's warnings.
 */
export function failure(
  code: BpfErrorCode,
  action: string,
  operation: string,
  errno: number,
  log: readonly string[] = [],
): BpfError {
  const printed = log.length === 0 ? '' : `\n${log.join('\n')}`;
  return new BpfError(code, `${action} failed in ${operation}: ${describeErrno(errno)}${printed}`, {
    operation,
    errno,
    log,
  });
}

/** Describes an errno, such as `ENOTSUPP (operation is not supported by this kernel)`. */
export function describeErrno(errno: number): string {
  const text = errnoText(errno);
  return text === undefined ? errnoName(errno) : `${errnoName(errno)} (${text})`;
}

export function disposed(subject: string): BpfError {
  return new BpfError('ERR_BPF_DISPOSED', `${subject} was disposed; open it again to continue using it`);
}

export function usage(message: string): BpfError {
  return new BpfError('ERR_BPF_USAGE', message);
}
