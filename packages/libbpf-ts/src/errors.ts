import { errnoName, errnoText } from './native/errno.ts';

/** All error codes of this package. */
export const bpfErrorCodes = [
  /** libbpf.so.1 is missing or too old. Install libbpf 1.x from the distribution. */
  'ERR_BPF_LIBRARY',
  /**
   * The object file can't be read or is no BPF object. Check the path; build the sensor anew if the file is damaged.
   */
  'ERR_BPF_OPEN',
  /**
   * The kernel refused a program or a map. Read the verifier's log in the message, and check the kernel version and
   * the privileges with `ringfence doctor`.
   */
  'ERR_BPF_LOAD',
  /**
   * The hook doesn't exist on this kernel or may not be used. See `ringfence doctor`; the agent goes on without the
   * hook.
   */
  'ERR_BPF_ATTACH',
  /**
   * A link can't be read, updated or detached. Check the privileges; only cgroup, XDP, netns and iterator links can
   * be updated.
   */
  'ERR_BPF_LINK',
  /**
   * Pinning, unpinning or opening a pin failed. Check that the BPF file system is mounted and that its directory
   * belongs to this user.
   */
  'ERR_BPF_PIN',
  /**
   * A map operation failed. Check the errno in the message: a full map, a missing privilege, or a type that this
   * kernel lacks.
   */
  'ERR_BPF_MAP',
  /** Memory of a map or ring could not be mapped. Check the memory limits of the process. */
  'ERR_BPF_MMAP',
  /** The ring's pages are inconsistent. Look for a second consumer of the same ring. */
  'ERR_BPF_RING',
  /** An iterator could not be started or read. Check the privileges and the kernel version. */
  'ERR_BPF_ITERATOR',
  /** A program could not be run or inspected. Check the privileges and the kernel version. */
  'ERR_BPF_RUN',
  /** Type information is missing or malformed. Compile the object with -g, and use a kernel with BTF. */
  'ERR_BPF_BTF',
  /**
   * No map, program, section or variable has that name. Compare the name with the object file, which may be of
   * another version.
   */
  'ERR_BPF_NOT_FOUND',
  /** The call can't be right whatever the kernel reports: a size, a value, an order of calls. Correct the caller. */
  'ERR_BPF_USAGE',
  /** The object was used after it had been disposed of. Open it again. */
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
