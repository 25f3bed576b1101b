import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { BenchError } from '../lib/errors.ts';
import { interrupted } from '../lib/interrupt.ts';

/** A program of the bench that answers each line with a line of JSON. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  readonly #name: string;

  constructor(name: string, args: readonly string[]) {
    this.#name = name;
    this.#process = spawn(process.execPath, [...process.execArgv, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#reader = createInterface({ input: this.#process.stdout! });
    this.#lines = this.#reader[Symbol.asyncIterator]();
    interrupted.addEventListener('abort', () => this.#process.kill('SIGKILL'), { once: true });
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** Returns the next line that the program prints. Rejects with BenchError when the program has ended. */
  async answer<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    interrupted.throwIfAborted();
    if (done === true) throw new BenchError('ERR_BENCH_SETUP', `${this.#name} has ended: see its output above`);
    return JSON.parse(value) as T;
  }

  /** Sends a line and returns the answer. Rejects with BenchError when the program has ended. */
  ask<T>(line: string): Promise<T> {
    this.#process.stdin?.write(`${line}\n`);
    return this.answer<T>();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader.close();
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}
