import { readFileSync, writeFileSync } from 'node:fs';
import { BenchError } from './errors.ts';

/** Of a system call that no load makes. */
const EVENTS = ['enter', 'exit'].map((side) => `/sys/kernel/tracing/events/syscalls/sys_${side}_acct/enable`);

/**
 * The kernel's own part of a sensor's cost, until it is disposed of: one system call has its two tracepoints on, with nothing behind them, and so every system call of
 * every program takes the kernel's slow path (SYSCALL_WORK_SYSCALL_TRACEPOINT, kernel/entry/common.c).
 */
export class SyscallFloor implements Disposable {
  readonly #before: string[] = [];

  constructor() {
    try {
      for (const path of EVENTS) {
        const before = readFileSync(path, 'latin1').trim();
        writeFileSync(path, '1');
        this.#before.push(before);
      }
    } catch (cause) {
      this[Symbol.dispose]();
      throw new BenchError('ERR_BENCH_SETUP', "tracepoints of a system call can't be switched on", { cause });
    }
  }

  [Symbol.dispose](): void {
    for (const [i, before] of this.#before.entries()) writeFileSync(EVENTS[i] as string, before);
  }
}
