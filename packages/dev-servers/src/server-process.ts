import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestServerError } from './errors.ts';
import { findProgram } from './run-tool.ts';
import { children } from './workplace.ts';

export interface ServerSpec {
  /** Name in messages: "Kafka broker 1". */
  readonly title: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** File that the server's output is appended to. */
  readonly log: string;
  /** Polled until it returns true, with the server's output since its start. */
  readonly isReady: (printed: string) => boolean | Promise<boolean>;
}

/** A server that can be stopped with any signal and restarted with the same data. */
export interface RunningServer {
  /** Pid of the server; undefined while it is not running. */
  readonly pid: number | undefined;
  /** Sends the signal and waits until the process has ended. Kills it after 30 s. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts the server and waits until it responds. Throws ERR_TESTKIT_START with the end of its log. */
  start(): Promise<void>;
  /** Sends a signal without waiting: SIGSTOP makes a server that does not respond, SIGCONT resumes it. */
  signal(name: NodeJS.Signals): void;
}

const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 40;
const SHOWN_LINES = 30;
const JAVA_FRAME = /^\s+at |^\s+\.\.\. \d+ more/;

/**
 * A server process that ends with this process, however that ends: the kernel sends the signal (setpriv --pdeathsig).
 * It runs in a new session, so that Ctrl-C reaches only this process, which then stops its servers in order.
 */
export class ServerProcess implements RunningServer {
  readonly #spec: ServerSpec;
  #child: ChildProcess | undefined;
  /** Size of the log when the process was started. */
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

  /** Kills the server. */
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
      const why = 'a server must not outlive its test: install util-linux, which contains setpriv';
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
      // The server must not keep the process of a test running.
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
  /** Output since the start. */
  printed(): string;
  kill(): Promise<void>;
}

function failure(spec: ServerSpec, outcome: string, printed: string): TestServerError {
  const lines = printed.split('\n').filter((line) => line !== '' && !JAVA_FRAME.test(line));
  const tail = lines.slice(-SHOWN_LINES).join('\n');
  const advice = 'See the end of its log; if it is out of memory, increase heapMb';
  return new TestServerError('ERR_TESTKIT_START', `${spec.title} ${outcome}. ${advice}.\n${tail}`);
}

/** Waits until a started server responds. Throws ERR_TESTKIT_START if it ends, or is killed after the deadline. */
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

/** Combines the facts of a server with the controls of its process. */
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
