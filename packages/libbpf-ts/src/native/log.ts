import koffi, { type TypeObject } from 'koffi';
import { type BpfErrorCode, failure } from '../errors.ts';
import { bpf, c, type Handle, lastErrno, type Pointer } from './library.ts';

export type LogLevel = 'warn' | 'info' | 'debug';
export type Logger = (level: LogLevel, line: string) => void;

const levels: readonly LogLevel[] = ['warn', 'info', 'debug'];
const setPrint: (callback: Handle) => Handle = bpf('void *libbpf_set_print(void *callback)');
const vasprintf: (out: [Handle], format: Pointer, list: Pointer) => number = c(
  'int vasprintf(_Out_ void **out, void *format, void *list)',
);

let logger: Logger | undefined;
let callback: Pointer | undefined;
let warnings: string[] = [];

/**
 * Sets the receiver of libbpf's messages, one line per call. Errors carry their warnings in any case.
 * @default no receiver
 */
export function setLogger(receiver: Logger | undefined): void {
  logger = receiver;
}

/** On x86-64 and arm64, va_list is passed by reference, so pass the address on to vasprintf as it is. */
function onPrint(level: number, format: Pointer, list: Pointer): number {
  if (level > 0 && logger === undefined) return 0;
  const out: [Handle] = [null];
  const length = vasprintf(out, format, list);
  const text = out[0];
  if (length < 0 || text === null) return 0;
  const line = koffi.decode.string(text, length).trimEnd();
  koffi.free(text);
  if (level === 0) warnings.push(line);
  logger?.(levels[level] ?? 'debug', line);
  return length;
}

function register(): Pointer {
  const prototype: TypeObject = koffi.proto('int', ['int', 'void *', 'void *']);
  return koffi.register(onPrint, koffi.pointer(prototype));
}

export interface Captured<T> {
  readonly result: T;
  /** errno right after the call */
  readonly errno: number;
  readonly log: readonly string[];
}

/**
 * Returns the result of a call with its errno and libbpf's warnings. libbpf's print callback is global to the process,
 * so ours is installed only during the call.
 */
export function capture<T>(call: () => T): Captured<T> {
  callback ??= register();
  warnings = [];
  const previous = setPrint(callback);
  try {
    const result = call();
    const errno = lastErrno();
    return { result, errno, log: warnings };
  } finally {
    setPrint(previous);
  }
}

/** Calls a function that returns a negative errno on failure, and throws that as an error. */
export function checked(code: BpfErrorCode, action: string, operation: string, call: () => number): number {
  const { result, log } = capture(call);
  if (result < 0) throw failure(code, action, operation, -result, log);
  return result;
}

/** Calls a function that returns NULL and sets errno on failure, and throws that as an error. */
export function checkedPointer(code: BpfErrorCode, action: string, operation: string, call: () => Handle): Pointer {
  const { result, errno, log } = capture(call);
  if (result === null) throw failure(code, action, operation, errno, log);
  return result;
}
