import { dirname, join } from 'node:path';
import type { Log } from '@ringfence/base';
import { exitNow } from '@ringfence/host-kit';

/** A local disk answers a look-up much sooner. */
const CALL_MAX_MS = 30_000;
/** Node's thread pool has four threads, two of which stay free for others. */
const STUCK_MAX = 2;

export interface DeadlineOptions {
  /** Time after which a call counts as stuck. @default 30 s */
  readonly callMaxMs?: number | undefined;
  readonly log: Log;
}

const LATE = Symbol('late');

/**
 * Calls on Node's thread pool that a file system may never answer. A call that does not return is left behind, and
 * nothing else is asked in its folder until it returns. It does not keep the process from ending.
 */
export class DeadlineCalls implements Disposable {
  readonly #options: DeadlineOptions;
  /** Paths of the calls that have not returned in time, with the folder to avoid. */
  readonly #stuck = new Map<string, string>();
  #running = 0;
  #stuckCalls = 0;

  constructor(options: DeadlineOptions) {
    this.#options = options;
    process.on('exit', this.#onExit);
  }

  /** Number of calls that did not return in time. */
  get stuckCalls(): number {
    return this.#stuckCalls;
  }

  /** Whether no call is under way. */
  get isIdle(): boolean {
    return this.#running === 0;
  }

  /**
   * Resolves with null if the call fails, does not return in time, or would ask a file system that does not answer.
   * @param discard called with a result that comes too late
   */
  async run<T>(path: string, call: () => Promise<T>, discard: (result: T) => void = () => {}): Promise<T | null> {
    if (this.#stuck.size >= STUCK_MAX || this.#isAvoided(path)) return null;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<typeof LATE>((resolve) => {
      timer = setTimeout(resolve, this.#options.callMaxMs ?? CALL_MAX_MS, LATE);
    });
    const running = this.#track(call);
    const result = await Promise.race([running, late]);
    clearTimeout(timer);
    if (result !== LATE) return result;
    this.#leave(path, running, discard);
    return null;
  }

  async #track<T>(call: () => Promise<T>): Promise<T | null> {
    this.#running++;
    try {
      return await call();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return null;
    } finally {
      this.#running--;
    }
  }

  #leave<T>(path: string, running: Promise<T | null>, discard: (result: T) => void): void {
    this.#stuckCalls++;
    this.#stuck.set(path, dirname(path));
    this.#options.log.warn(
      { path, stuck: this.#stuck.size },
      'a file is not looked up: its file system does not answer',
    );
    running.then(
      (result) => {
        this.#stuck.delete(path);
        if (result !== null) discard(result);
      },
      () => this.#stuck.delete(path),
    );
  }

  #isAvoided(path: string): boolean {
    return [...this.#stuck.values()].some((folder) => path === folder || path.startsWith(join(folder, '/')));
  }

  /** The process would wait for the thread pool, and so for a file system that does not answer. */
  readonly #onExit = (code: number): void => {
    if (this.#running > 0) exitNow(code);
  };

  [Symbol.dispose](): void {
    if (this.isIdle) process.off('exit', this.#onExit);
  }
}
