import koffi from 'koffi';
import { bpf, type Pointer } from './native/library.ts';
import { checked } from './native/log.ts';

const testRun: (fd: number, options: Pointer) => number = bpf('int bpf_prog_test_run_opts(int fd, void *options)');

/** sizeof(struct bpf_test_run_opts) in libbpf 1.1. Newer versions only append fields. */
const OPTIONS = 80;

export interface RunInput {
  /** bytes of the program's context, for the program types that take it */
  readonly context?: Uint8Array;
  /** bytes of the packet, for networking programs */
  readonly data?: Uint8Array;
}

export interface RunResult {
  /** return value of the program */
  readonly result: number;
  /** bytes of the context after the run */
  readonly context: Uint8Array;
}

/** Options, context and data share a native block, because the garbage collector could move a JavaScript buffer. */
export function runProgram(fd: number, name: string, input: RunInput): RunResult {
  const context = input.context ?? new Uint8Array(0);
  const data = input.data ?? new Uint8Array(0);
  const dataAt = (OPTIONS + context.length + 7) & ~7;
  const block: Pointer = koffi.alloc('uint8_t', dataAt + data.length);
  const buffer = koffi.view(block, dataAt + data.length);
  try {
    const bytes = new Uint8Array(buffer);
    bytes.fill(0);
    bytes.set(context, OPTIONS);
    bytes.set(data, dataAt);
    const view = new DataView(buffer);
    view.setBigUint64(0, BigInt(OPTIONS), true);
    if (data.length > 0) {
      view.setBigUint64(8, block + BigInt(dataAt), true);
      view.setUint32(24, data.length, true);
    }
    if (context.length > 0) {
      view.setBigUint64(32, block + BigInt(OPTIONS), true);
      view.setUint32(48, context.length, true);
    }
    checked('ERR_BPF_RUN', `running program '${name}'`, 'bpf_prog_test_run_opts', () => testRun(fd, block));
    return { result: view.getUint32(56, true), context: bytes.slice(OPTIONS, OPTIONS + context.length) };
  } finally {
    buffer.transfer(0);
    koffi.free(block);
  }
}
