import { closeSync } from 'node:fs';
import { disposed } from './errors.ts';
import { objectId, recursionMisses } from './info.ts';
import { openPinned } from './pin.ts';
import { type RunInput, type RunResult, runProgram } from './program-run.ts';

/** A pinned program, opened by its path. It can replace the program of a link or be run. */
export class PinnedProgram implements Disposable {
  /** path of the pin */
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
   * How often the kernel skipped a run because BPF code was already running on that CPU: an interrupted run of this
   * program or, for a program on a tracepoint or kprobe, any such program or an update of a map. Before Linux 6.7,
   * skipped runs on tracepoints are not counted.
   */
  get recursionMisses(): number {
    return recursionMisses(this.fd, `the program pinned at ${this.name}`);
  }

  /** Runs the program once on the given input (BPF_PROG_TEST_RUN). */
  run(input: RunInput = {}): RunResult {
    return runProgram(this.fd, this.name, input);
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}
