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
];
const PROFILE_HOOK = fileURLToPath(new URL('../profile-hook.ts', import.meta.url));
const PROFILE_MS = 20_000;
/** Every open and every other event leaves the kernel. */
export const UNFILTERED: readonly string[] = ['sensor.opens=all', 'sensor.audit=all'];
const START_MS = 120_000;
const STOP_MS = 120_000;
const ANSWER_MS = 60_000;

/** One look at a running `up`. */
export interface Reading {
  /** ms, performance.now() when the answer was there */
  readonly at: number;
  /** sequence numbers taken in the kernel's two lanes */
  readonly produced: number;
  /** of those, lost: by cause */
  readonly lost: Readonly<Record<string, number>>;
  /** events that the detector has seen */
  readonly detected: number;
  /** nothing waits anywhere: rings, bus */
  readonly drained: boolean;
  readonly collector: CollectorStats;
  readonly enricher: EnricherStats;
  readonly detector: DetectorStats;
  readonly auditor: AuditorStats;
  readonly responder: ResponderStats;
}

/** A reader that keeps up leaves this much in the rings between two looks. */
const KEEPING_UP_BYTES = 256 * 1024;

export interface AgentOptions {
  /** directory for directories of its own */
  readonly dir: string;
  /** settings, as `--set` takes them */
  readonly settings?: readonly string[];
  /** CPU profile to write, of the time from start to stop; null: none */
  readonly profile?: string | null;
  /** the one service that runs; null: all */
  readonly only?: string | null;
}

/** `ringfence up`, with state, socket and pins of its own. Disposing stops it and leaves nothing behind. */
export class Agent implements AsyncDisposable {
  readonly stateDir: string;
  readonly runDir: string;
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #pins: string;
  readonly #client: ApiClient;
  readonly #profile: string | null;
  #output = '';

  /** `before`: an agent that has ended, whose state and pins this one goes on with. */
  private constructor({ dir, settings = [], profile = null, only = null }: AgentOptions, before?: Agent) {
    this.#dir = before === undefined ? mkdtempSync(join(dir, 'up-')) : before.#dir;
    this.stateDir = join(this.#dir, 'state');
    this.runDir = join(this.#dir, 'run');
    this.#pins = `/sys/fs/bpf/ringfence-bench-${process.pid}-${this.#dir.slice(-6)}`;
    this.#client = new ApiClient(this.socket);
    const all = [`runDir=${this.runDir}`, `sensor.pinPath=${this.#pins}`, 'metrics.enabled=false', ...settings];
    this.#profile = profile;
    const hook = profile === null ? [] : ['--import', PROFILE_HOOK];
    const some = only === null ? [] : ['--only', only];
    const args = [...NODE_FLAGS, ...hook, MAIN, 'up', ...some, '--state-dir', this.stateDir, '--log-level', 'warn'];
    this.#child = spawn(process.execPath, [...args, ...all.flatMap((setting) => ['--set', setting])], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(profile === null ? {} : { env: { ...process.env, BENCH_PROFILE: profile } }),
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString('utf8')).slice(-4000);
      });
  }

  /** Resolves when the sensor is in place and the socket answers. Rejects with BenchError. */
  static start(options: AgentOptions): Promise<Agent> {
    return Agent.#start(options);
  }

  /** The collector alone, with the filter that the built-in rules have put into the kernel: it takes over what a whole `up` has left pinned. */
  static async startCollector({ settings = [], ...options }: AgentOptions): Promise<Agent> {
    const all = [...settings, 'sensor.keepPinned=true'];
    const whole = await Agent.#start({ ...options, settings: all, profile: null });
    await whole.stop();
    return Agent.#start({ ...options, settings: all, only: 'collector' }, whole);
  }

  static async #start(options: AgentOptions, before?: Agent): Promise<Agent> {
    const agent = new Agent(options, before);
    try {
      await agent.#ready();
      if (agent.#profile !== null) agent.#child.kill('SIGUSR2');
      return agent;
    } catch (error) {
      await agent[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #ready(): Promise<void> {
    for (const begin = performance.now(); performance.now() - begin < START_MS; ) {
      this.#mustRun();
      if (await this.#client.isRunning()) return;
      await sleep(50);
    }
    throw new BenchError('ERR_BENCH_AGENT', `ringfence up does not answer after ${START_MS / 1000} s: ${this.#output}`);
  }

  #mustRun(): void {
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

  /** Stopped, it does nothing; what its sensor writes stays in the rings. */
  pause(stopped: boolean): void {
    this.#child.kill(stopped ? 'SIGSTOP' : 'SIGCONT');
  }

  async read(): Promise<Reading> {
    return readingOf(await this.#status());
  }

  async collector(): Promise<CollectorStats> {
    const { services } = await this.#status();
    return services.find(({ name }) => name === 'collector')?.stats as CollectorStats;
  }

  #status(): Promise<Status> {
    this.#mustRun();
    return this.#client.json<Status>('/status', AbortSignal.any([interrupted, AbortSignal.timeout(ANSWER_MS)]));
  }

  /** Until nothing waits any more; ms that it took. Rejects with BenchError after `atMostMs`. */
  async drain(atMostMs = 300_000): Promise<{ readonly ms: number; readonly reading: Reading }> {
    const begin = performance.now();
    for (;;) {
      const reading = await this.read();
      if (reading.drained) return { ms: reading.at - begin, reading };
      if (performance.now() - begin > atMostMs)
        throw new BenchError('ERR_BENCH_AGENT', `the backlog is not worked off after ${atMostMs / 1000} s`);
      await sleep(50);
    }
  }

  /** Ends it as Ctrl-C does; its directories stay until it is disposed. */
  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    await this.#finishProfile();
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    const patience = new AbortController();
    const late = sleep(STOP_MS, 'late', { signal: patience.signal }).catch(() => 'aborted');
    if ((await Promise.race([ended, late])) === 'late') this.#child.kill('SIGKILL');
    patience.abort();
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
    produced: kernel.reduce((sum, { sequence }) => sum + sequence, 0),
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

export const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, one) => sum + one, 0);
