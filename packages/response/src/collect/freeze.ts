import { readdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ifExists, pidfdSignal } from '@ringfence/host-kit';
import { sha256Hex } from './chain.ts';
import { fsyncPath, writeDurably } from './store.ts';

const { SIGSTOP, SIGCONT } = constants.signals;
/** A thread that waits in the kernel stops only when the wait ends. */
const STOP_MS = 1000;
const LOOK_MS = 1;
const THREADS_MAX = 10_000;

/** Whether a process is stopped, by its first thread; false: it is not, or has ended. */
export const isStopped = (pid: number): boolean => stateOf(`/proc/${pid}/stat`) === 'T';

function stateOf(path: string): string {
  const text = ifExists(() => readFileSync(path, 'latin1')) ?? '';
  // The name in parentheses may hold anything.
  return text.slice(text.lastIndexOf(')') + 2)[0] ?? '';
}

function isRunning(pid: number): boolean {
  const threads = ifExists(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  const states = threads.slice(0, THREADS_MAX).map((thread) => stateOf(`/proc/${pid}/task/${thread}/stat`));
  return states.some((state) => !['T', 't', 'Z', 'X', ''].includes(state));
}

/**
 * A stop of a process that is in force. A file of the store says so from before the stop until after the process goes
 * on: an agent that was killed in between finds it, and only then is there something to take back.
 */
export class Freeze {
  readonly #pidfd: number;
  readonly #marker: Marker;
  #stoppedAt = 0;
  #frozenMicros = 0;

  constructor(pidfd: number, marker: Marker) {
    this.#pidfd = pidfd;
    this.#marker = marker;
  }

  /** µs for which the process was stopped */
  get micros(): number {
    return this.#frozenMicros;
  }

  /** Resolves with whether all threads stand still. Throws SystemCallError. */
  async stop(pid: number): Promise<boolean> {
    this.#marker.set();
    this.#stoppedAt = performance.now();
    pidfdSignal(this.#pidfd, SIGSTOP);
    const endsAt = performance.now() + STOP_MS;
    while (isRunning(pid)) {
      if (performance.now() > endsAt) return false;
      await sleep(LOOK_MS);
    }
    return true;
  }

  /** Lets the process go on, or sends it another signal instead; a second call does nothing. Throws SystemCallError. */
  release(signal: number = SIGCONT): void {
    if (this.#stoppedAt === 0) return;
    this.#frozenMicros = Math.round((performance.now() - this.#stoppedAt) * 1000);
    this.#stoppedAt = 0;
    try {
      pidfdSignal(this.#pidfd, signal);
    } finally {
      this.#marker.clear();
    }
  }
}

/** The file that says that a process is stopped by a command. */
export class Marker {
  readonly #folder: string;
  readonly #path: string;

  constructor(storeDirectory: string, command: string) {
    this.#folder = join(storeDirectory, 'frozen');
    this.#path = join(this.#folder, sha256Hex(Buffer.from(command)));
  }

  get isSet(): boolean {
    return ifExists(() => readFileSync(this.#path)) !== null;
  }

  set(): void {
    rmSync(this.#path, { force: true });
    writeDurably(this.#path, Buffer.alloc(0));
    fsyncPath(this.#folder);
  }

  clear(): void {
    ifExists(() => unlinkSync(this.#path));
    fsyncPath(this.#folder);
  }
}
