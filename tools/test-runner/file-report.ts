import type { TestMessage } from './reporter.ts';
import type { Ended } from './test-process.ts';

export interface Failure {
  readonly title: string;
  /** for people: the error with its stack and causes */
  readonly error: string;
}

export interface FileReport {
  readonly path: string;
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly skipped: readonly { readonly title: string; readonly reason: string }[];
  /** what the file printed, the last 64 KiB */
  readonly output: string;
  readonly durationMs: number;
  /** of its process and of all it started and waited for; 0: not known */
  readonly cpuMs: number;
}

/** What the tests of a file have come to. */
export class Tally {
  /** all have been told */
  done = false;
  readonly #begun = performance.now();
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

  fail(why: string): void {
    this.#failures.push({ title: 'the file itself', error: why });
  }

  failIfEmpty(): void {
    if (this.#passed + this.#skipped.length + this.#failures.length === 0) this.fail('it registered no test');
  }

  report(path: string, output: string, cpuMs = 0): FileReport {
    const [passed, failures, skipped] = [this.#passed, this.#failures, this.#skipped];
    return { path, passed, failures, skipped, output, durationMs: performance.now() - this.#begun, cpuMs };
  }
}

/** @param lateS it was killed after so many seconds; null: not for that */
export function howItEnded({ code, killedBy }: Ended, lateS: number | null): string {
  if (killedBy === null) return `exited with code ${code}`;
  return `killed by ${killedBy}${lateS === null ? '' : ` after ${lateS} s: something in it doesn't end`}`;
}
