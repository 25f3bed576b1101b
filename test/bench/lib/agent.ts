import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AuditorStats } from '@ringfence/auditor';
import type { CollectorStats } from '@ringfence/collector';
import type { DetectorStats } from '@ringfence/detector';
import type { EnricherStats } from '@ringfence/enricher';
import type { ResponderStats } from '@ringfence/responder';
import { ApiClient } from '@ringfence/runtime/client';
import type { Status } from '@ringfence/runtime/status';
import { BenchError } from './errors.ts';
import { sumOf } from './figures.ts';
import { interrupted } from './interrupt.ts';
import { LOSSES } from './ledger.ts';

const MAIN = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
export const NODE_FLAGS: readonly string[] = [
  '--conditions=@ringfence/source',
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=4',
  '--v8-pool-size=1',
  '--use-largepages=silent',
  '--no-short-builtin-calls',
  '--disable-sigusr1',
];
const PROFILE_HOOK = fileURLToPath(new URL('../profile-hook.ts', import.meta.url));
const PROFILE_MS = 20_000;
/** Settings that let every event leave the kernel. */
export const UNFILTERED: readonly string[] = ['sensor.opens=all', 'sensor.audit=all'];
const START_MS = 120_000;
const STOP_MS = 120_000;
const ANSWER_MS = 60_000;

/** The status of a running `up` at a time. */
export interface Reading {
  /** performance.now() when the answer came, ms */
  readonly at: number;
  /** Sequence numbers taken in the kernel's two lanes */
  readonly produced: number;
  /** Lost events by cause */
  readonly lost: Readonly<Record<string, number>>;
  /** Events that reached the detector */
  readonly detected: number;
  /** Whether rings and bus are drained */
  readonly drained: boolean;
  readonly collector: CollectorStats;
  readonly enricher: EnricherStats;
  readonly detector: DetectorStats;
  readonly auditor: AuditorStats;
  readonly responder: ResponderStats;
}

/** An agent that keeps up leaves at most this much in the rings between two reads. */
const KEEPING_UP_BYTES = 256 * 1024;

export interface AgentOptions {
  /** Directory in which the agent's directories are created */
  readonly dir: string;
  /** Settings in the form of `--set` */
  readonly settings?: readonly string[];
  /** Path of a CPU profile of the time from start to stop. @default none */
  readonly profile?: string | null;
  /** The only service that runs. @default all services */
  readonly only?: string | null;
  /** Command that starts the agent with another priority, such as chrt. @default none */
  readonly under?: readonly string[];
}

/** A `ringfence up` with its own state, socket and pins. Disposing stops it and removes them. */
export class Agent implements AsyncDisposable {
  readonly stateDir: string;
  readonly runDir: string;
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #pins: string;
  readonly #client: ApiClient;
  readonly #profile: string | null;
  #output = '';

  /** `previous` is a stopped agent whose state and pins this one takes over. */
  private constructor({ dir, settings = [], profile = null, only = null, under = [] }: AgentOptions, previous?: Agent) {
    this.#dir = previous === undefined ? mkdtempSync(join(dir, 'up-')) : previous.#dir;
    this.stateDir = join(this.#dir, 'state');
    this.runDir = join(this.#dir, 'run');
    this.#pins = `/sys/fs/bpf/ringfence-bench-${process.pid}-${this.#dir.slice(-6)}`;
    this.#client = new ApiClient(this.socket);
    const all = [`runDir=${this.runDir}`, `sensor.pinPath=${this.#pins}`, 'metrics.enabled=false', ...settings];
    this.#profile = profile;
    const hook = profile === null ? [] : ['--import', PROFILE_HOOK];
    const service = only === null ? [] : ['--only', only];
    const args = [...NODE_FLAGS, ...hook, MAIN, 'up', ...service, '--state-dir', this.stateDir, '--log-level', 'warn'];
    const [file = '', ...before] = [...under, process.execPath];
    this.#child = spawn(file, [...before, ...args, ...all.flatMap((setting) => ['--set', setting])], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(profile === null ? {} : { env: { ...process.env, BENCH_PROFILE: profile } }),
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString('utf8')).slice(-4000);
      });
  }

  /** Resolves when the sensor is attached and the socket answers. Rejects with BenchError. */
  static start(options: AgentOptions): Promise<Agent> {
    return Agent.#start(options);
  }

  /**
   * Starts the collector alone, with the filter of the built-in rules: a complete `up` sets the filter and leaves its
   * sensor pinned, and the collector takes it over.
   */
  static async startCollector({ settings = [], ...options }: AgentOptions): Promise<Agent> {
    const all = [...settings, 'sensor.keepPinned=true'];
    const complete = await Agent.#start({ ...options, settings: all, profile: null });
    await complete.stop();
    return Agent.#start({ ...options, settings: all, only: 'collector' }, complete);
  }

  static async #start(options: AgentOptions, previous?: Agent): Promise<Agent> {
    const agent = new Agent(options, previous);
    try {
      await agent.#awaitAnswer();
      if (agent.#profile !== null) agent.#child.kill('SIGUSR2');
      return agent;
    } catch (error) {
      await agent[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #awaitAnswer(): Promise<void> {
    for (const begin = performance.now(); performance.now() - begin < START_MS; ) {
      this.#assertRunning();
      if (await this.#client.isRunning()) return;
      await sleep(50);
    }
    throw new BenchError('ERR_BENCH_AGENT', `ringfence up does not answer after ${START_MS / 1000} s: ${this.#output}`);
  }

  #assertRunning(): void {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null)
      throw new BenchError('ERR_BENCH_AGENT', `ringfence up ended (${exitCode ?? signalCode}): ${this.#output}`);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get socket(): string {
    return join(this.runDir, 'ringfence.sock');
  }

  get pinPath(): string {
    return this.#pins;
  }

  /** Suspends or resumes the process. While it is suspended, the sensor's records stay in the rings. */
  suspend(suspended: boolean): void {
    this.#child.kill(suspended ? 'SIGSTOP' : 'SIGCONT');
  }

  async read(): Promise<Reading> {
    return readingOf(await this.#status());
  }

  async collector(): Promise<CollectorStats> {
    const { services } = await this.#status();
    return services.find(({ name }) => name === 'collector')?.stats as CollectorStats;
  }

  #status(): Promise<Status> {
    this.#assertRunning();
    return this.#client.json<Status>('/status', AbortSignal.any([interrupted, AbortSignal.timeout(ANSWER_MS)]));
  }

  /** Waits until rings and bus are drained, and returns the time that took. Rejects with BenchError after `maxMs`. */
  async drain(maxMs = 300_000): Promise<{ readonly ms: number; readonly reading: Reading }> {
    const begin = performance.now();
    for (;;) {
      const reading = await this.read();
      if (reading.drained) return { ms: reading.at - begin, reading };
      if (performance.now() - begin > maxMs)
        throw new BenchError('ERR_BENCH_AGENT', `the backlog is not processed after ${maxMs / 1000} s`);
      await sleep(50);
    }
  }

  /** Stops the process with SIGTERM, or SIGKILL if it does not end. Its directories stay until it is disposed. */
  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    await this.#finishProfile();
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    const deadline = new AbortController();
    const late = sleep(STOP_MS, 'late', { signal: deadline.signal }).catch(() => 'aborted');
    if ((await Promise.race([ended, late])) === 'late') this.#child.kill('SIGKILL');
    deadline.abort();
    await ended;
  }

  async #finishProfile(): Promise<void> {
    if (this.#profile === null) return;
    this.#child.kill('SIGUSR2');
    for (let waited = 0; waited < PROFILE_MS && !existsSync(this.#profile); waited += 50) await sleep(50);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#pins, { recursive: true, force: true });
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function readingOf(status: Status): Reading {
  const stats = <T>(name: string): T => status.services.find((service) => service.name === name)?.stats as T;
  const collector = stats<CollectorStats>('collector');
  const detector = stats<DetectorStats>('detector');
  const kernel = collector.lanes.filter(({ lane }) => lane < 2);
  return {
    at: performance.now(),
    produced: sumOf(kernel.map(({ sequence }) => sequence)),
    lost: Object.fromEntries(LOSSES.map((cause) => [cause, collector.drops[cause] ?? 0])),
    detected: detector.events,
    drained: status.services.every(({ name, lag }) => lag <= (name === 'collector' ? KEEPING_UP_BYTES : 1)),
    collector,
    enricher: stats('enricher'),
    detector,
    auditor: stats('auditor'),
    responder: stats('responder'),
  };
}
