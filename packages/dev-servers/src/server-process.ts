import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestServerError } from './errors.ts';
import { findProgram } from './run-tool.ts';
import { children } from './workplace.ts';

export interface ServerSpec {
  /** for people: "Kafka broker 1" */
  readonly title: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** what it prints is appended here */
  readonly log: string;
  /** asked again and again, with what the server printed since it was started, until it says true */
  readonly isReady: (printed: string) => boolean | Promise<boolean>;
}

/** A server that can be stopped in any way and started again with the same data. */
export interface RunningServer {
  /** of the server's process; undefined while it isn't running */
  readonly pid: number | undefined;
  /** Sends the signal and resolves when the process has ended; after 30 s it is killed. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again after a stop; resolves when it answers. Throws ERR_TESTKIT_START with the end of its log. */
  start(): Promise<void>;
  /** Sends a signal and waits for nothing: SIGSTOP makes a server that is there and doesn't answer, SIGCONT ends that. */
  signal(name: NodeJS.Signals): void;
}

const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 40;
const SHOWN_LINES = 30;
const JAVA_FRAME = /^\s+at |^\s+\.\.\. \d+ more/;

/**
 * One process on this machine. It dies with this process, however that ends: the kernel sends the signal (setpriv --pdeathsig). It has a session of
 * its own, so that Ctrl-C reaches this process first, which then stops it in its own order.
 */
export class ServerProcess implements RunningServer {
  readonly #spec: ServerSpec;
  #child: ChildProcess | undefined;
  /** of the log, when the process was started */
  #logStart = 0;

  constructor(spec: ServerSpec) {
    this.#spec = spec;
  }

  get pid(): number | undefined {
    return this.#isRunning() ? this.#child?.pid : undefined;
  }

  async start(): Promise<void> {
    if (this.#isRunning())
      throw new TestServerError('ERR_TESTKIT_RUNNING', `${this.#spec.title} is running: stop it first`);
    this.#spawn();
    await untilReady(this.#spec, {
      isRunning: () => this.#isRunning(),
      printed: () => this.#printed(),
      kill: () => this.stop('SIGKILL'),
    });
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.#isRunning()) return;
    child.ref();
    const ended = once(child, 'exit');
    child.kill(signal);
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(killer);
  }

  /** What is left of it goes. */
  remove(): Promise<void> {
    return this.stop('SIGKILL');
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  #isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #printed(): string {
    return readFileSync(this.#spec.log).subarray(this.#logStart).toString();
  }

  #spawn(): void {
    const setpriv = findProgram('setpriv');
    if (setpriv === undefined) {
      const why = 'a server that outlives its test must not be: install util-linux, which has setpriv';
      throw new TestServerError('ERR_TESTKIT_SETPRIV', `${this.#spec.title} was not started: ${why}`);
    }
    const log = openSync(this.#spec.log, 'a');
    this.#logStart = fstatSync(log).size;
    try {
      this.#child = spawn(setpriv, ['--pdeathsig', 'KILL', ...this.#spec.command], {
        stdio: ['ignore', log, log],
        detached: true,
        env: { ...process.env, ...this.#spec.env },
      });
      // It must not keep a test's process up.
      this.#child.unref();
      const child = this.#child;
      children.add(child);
      child.once('exit', () => children.delete(child));
    } finally {
      closeSync(log);
    }
  }
}

interface Starting {
  isRunning(): boolean | Promise<boolean>;
  /** since the start */
  printed(): string;
  kill(): Promise<void>;
}

function failure(spec: ServerSpec, what: string, printed: string): TestServerError {
  const lines = printed.split('\n').filter((line) => line !== '' && !JAVA_FRAME.test(line));
  const tail = lines.slice(-SHOWN_LINES).join('\n');
  const advice = 'The end of its log says why; out of memory: give it a larger heapMb';
  return new TestServerError('ERR_TESTKIT_START', `${spec.title} ${what}. ${advice}.\n${tail}`);
}

/** Resolves when the server that was just started answers. @throws ERR_TESTKIT_START when it ends, or doesn't answer in time and is killed */
export async function untilReady(spec: ServerSpec, server: Starting): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!(await spec.isReady(server.printed()))) {
    if (!(await server.isRunning())) throw failure(spec, 'ended while it started', server.printed());
    if (performance.now() > deadline) {
      await server.kill();
      throw failure(spec, `did not answer in ${READY_TIMEOUT_MS / 1000} s`, server.printed());
    }
    await sleep(POLL_MS);
  }
}

/** A server's facts with the controls of the process behind it. */
export function withControls<T extends object>(server: RunningServer, facts: T): T & RunningServer {
  const controls: RunningServer = {
    get pid() {
      return server.pid;
    },
    stop: (signal) => server.stop(signal),
    start: () => server.start(),
    signal: (name) => server.signal(name),
  };
  return Object.defineProperties(controls, Object.getOwnPropertyDescriptors(facts)) as T & RunningServer;
}
