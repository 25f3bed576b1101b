import { closeSync } from 'node:fs';
import { disposed } from './errors.ts';
import { objectId, recursionMisses } from './info.ts';
import { openPinned } from './pin.ts';
import { type RunInput, type RunResult, runProgram } from './program-run.ts';

/** A program that was pinned, by its descriptor: enough to put it behind a link, or to run it. */
export class PinnedProgram implements Disposable {
  /** the pin's path */
  readonly name: string;
  #fd: number;

  private constructor(path: string, fd: number) {
    this.name = path;
    this.#fd = fd;
  }

  static open(path: string): PinnedProgram {
    return new PinnedProgram(path, openPinned(path));
  }

  /** @throws ERR_BPF_DISPOSED */
  get fd(): number {
    if (this.#fd < 0) throw disposed(`the program pinned at ${this.name}`);
    return this.#fd;
  }

  get id(): number {
    return objectId(this.fd, `the program pinned at ${this.name}`, 'ERR_BPF_RUN');
  }

  /**
   * How often the kernel was to run it and did not, because it was at BPF's work on that CPU already: this program had been interrupted in the middle, or, where
   * it is on a tracepoint or kprobe, any such program or a change of a map. Before 6.7 those on tracepoints aren't counted.
   */
  get recursionMisses(): number {
    return recursionMisses(this.fd, `the program pinned at ${this.name}`);
  }

  /** Runs it once, now, on given input (BPF_PROG_TEST_RUN). */
  run(input: RunInput = {}): RunResult {
    return runProgram(this.fd, this.name, input);
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}
