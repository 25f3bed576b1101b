import { FileWatcher } from './file-watcher.ts';
import type { LogSource } from './log-source.ts';

const POLL_MS = 250;
const REST_MS = 10_000;
/** Polls in a row without a line after which the wait relies on notifications. */
const QUIET_POLLS = 8;

export interface IdleWaitOptions {
  readonly sources: readonly LogSource[];
  /** interval of polls. @default 250 ms */
  readonly pollMs?: number | undefined;
  /** interval of polls after a long time without lines. @default 10 s */
  readonly restMs?: number | undefined;
  /** called when the next poll must scan for files: one was written, moved or removed */
  readonly onChange: () => void;
  /** aborts when the reader is closed */
  readonly signal: AbortSignal;
}

/** Waits between two polls: for an interval, or, after a long time without lines, for a notification. */
export class IdleWait {
  readonly #options: IdleWaitOptions;
  readonly #watcher: FileWatcher;
  #quietPolls = 0;
  #end: () => void = () => {};

  constructor(options: IdleWaitOptions) {
    this.#options = options;
    this.#watcher = new FileWatcher(() => {
      options.onChange();
      this.wake();
    });
  }

  /** Waits until there may be a line. */
  wait(): Promise<void> {
    const { pollMs = POLL_MS, restMs = REST_MS, signal } = this.#options;
    const ms = this.#canRest() ? restMs : pollMs;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends the current wait, if there is one. */
  end(): void {
    this.#end();
  }

  /** Ends the current wait because there may be a line. */
  wake(): void {
    this.#quietPolls = 0;
    this.#end();
  }

  /** Call it when a poll has found lines. */
  reset(): void {
    this.#quietPolls = 0;
  }

  /** Whether every further line will cause a notification. */
  #canRest(): boolean {
    const { sources, onChange } = this.#options;
    if (++this.#quietPolls <= QUIET_POLLS || !sources.every((source) => source.settled)) return false;
    if (this.#watcher.watchOnly(sources.flatMap((source) => source.paths))) return true;
    // Files may have been rotated before they were watched.
    onChange();
    return false;
  }

  close(): void {
    this.#watcher.close();
  }
}
