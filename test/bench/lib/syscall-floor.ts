import { readFileSync, writeFileSync } from 'node:fs';
import { BenchError } from './errors.ts';

/** Of a system call that no load makes. */
const PATH = '/sys/kernel/tracing/events/syscalls/sys_exit_acct/enable';

/**
 * The kernel's own part of a sensor's cost, until it is disposed of: one system call has the tracepoint of its end on, with nothing behind it, and so every system call of
 * every program takes the kernel's slow path (SYSCALL_WORK_SYSCALL_TRACEPOINT, kernel/entry/common.c).
 */
export class SyscallFloor implements Disposable {
  readonly #before: string;

  constructor() {
    try {
      this.#before = readFileSync(PATH, 'latin1').trim();
      writeFileSync(PATH, '1');
    } catch (cause) {
      throw new BenchError('ERR_BENCH_SETUP', "the tracepoint of a system call can't be switched on", { cause });
    }
  }

  [Symbol.dispose](): void {
    writeFileSync(PATH, this.#before);
  }
}
