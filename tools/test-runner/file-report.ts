import type { TestMessage } from './reporter.ts';
import type { Ended } from './test-process.ts';

export interface Failure {
  readonly title: string;
  /** The error with its stack and causes, as text. */
  readonly error: string;
}

export interface FileReport {
  readonly path: string;
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly skipped: readonly { readonly title: string; readonly reason: string }[];
  /** Last 64 KiB of the output of the file. */
  readonly output: string;
  readonly durationMs: number;
  /** CPU time of the process and its reaped children; 0 if unknown. */
  readonly cpuMs: number;
}

/** Collects the results of the tests of a file. */
export class Tally {
  /** Whether the results of all tests have arrived. */
  done = false;
  readonly #startedMs = performance.now();
  #passed = 0;
  readonly #failures: Failure[] = [];
  readonly #skipped: { readonly title: string; readonly reason: string }[] = [];

  take(message: TestMessage): void {
    if (message.type === 'pass') this.#passed += 1;
    else if (message.type === 'skip') this.#skipped.push(message);
    else if (message.type === 'fail') this.#failures.push(message);
    else this.done = true;
  }

  get hasFailed(): boolean {
    return this.#failures.length > 0;
  }

  fail(error: string): void {
    this.#failures.push({ title: 'the file itself', error });
  }

  failIfEmpty(): void {
    if (this.#passed + this.#skipped.length + this.#failures.length === 0) this.fail('the file registered no test');
  }

  report(path: string, output: string, cpuMs = 0): FileReport {
    const [passed, failures, skipped] = [this.#passed, this.#failures, this.#skipped];
    return { path, passed, failures, skipped, output, durationMs: performance.now() - this.#startedMs, cpuMs };
  }
}

/** @param timeoutS the time limit, if the process was killed because of it */
export function describeEnd({ code, killedBy }: Ended, timeoutS: number | null): string {
  if (killedBy === null) return `exited with code ${code}`;
  return `killed by ${killedBy}${timeoutS === null ? '' : ` after ${timeoutS} s: a test or an open handle keeps the file running`}`;
}
