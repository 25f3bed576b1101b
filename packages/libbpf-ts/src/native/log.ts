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
let lines: string[] = [];

/** Receives what libbpf prints, a line at a time. Failures carry their warnings either way. @default nobody */
export function setLogger(receiver: Logger | undefined): void {
  logger = receiver;
}

/** va_list is an array or a struct passed by reference on x86-64 and arm64, so its address is what C expects back. */
function onPrint(level: number, format: Pointer, list: Pointer): number {
  if (level > 0 && logger === undefined) return 0;
  const out: [Handle] = [null];
  const length = vasprintf(out, format, list);
  const text = out[0];
  if (length < 0 || text === null) return 0;
  const line = koffi.decode.string(text, length).trimEnd();
  koffi.free(text);
  if (level === 0) lines.push(line);
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

/** libbpf's print function is global to the process: ours is in place only during the call, and whoever was there before comes back. */
export function capture<T>(call: () => T): Captured<T> {
  callback ??= register();
  lines = [];
  const before = setPrint(callback);
  try {
    const result = call();
    const errno = lastErrno();
    return { result, errno, log: lines };
  } finally {
    setPrint(before);
  }
}

/** For functions that return 0 or more, or a negative errno. */
export function checked(code: BpfErrorCode, doing: string, operation: string, call: () => number): number {
  const { result, log } = capture(call);
  if (result < 0) throw failure(code, doing, operation, -result, log);
  return result;
}

/** For functions that return a pointer, or NULL and errno. */
export function checkedPointer(code: BpfErrorCode, doing: string, operation: string, call: () => Handle): Pointer {
  const { result, errno, log } = capture(call);
  if (result === null) throw failure(code, doing, operation, errno, log);
  return result;
}
