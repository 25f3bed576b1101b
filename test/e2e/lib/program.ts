import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditReader } from '@ringfence/auditor';
import { buildSensor } from '@ringfence/sensor/build';
import { uninstallSensor } from '@ringfence/sensor/parts';
import { readable } from '@ringfence/testkit';
import { until } from './wait.ts';

const ROOT = join(import.meta.dirname, '../../..');
export const MAIN: string = join(ROOT, 'cli/src/main.ts');

export interface Ended {
  /** Null if `signal` ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** User and group id to run as, without capabilities. @default user of the test */
  readonly uid?: number;
  /** Whether to omit the settings of the installation: stateDir, runDir, pinPath and metrics. */
  readonly bare?: boolean;
  /** Whether to start it from a shell with a terminal of its own; what is written to its stdin is typed. */
  readonly terminal?: boolean;
}

/** A running `ringfence` and its output so far. */
export class Running implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  readonly ended: Promise<Ended>;
  #listeners: ((text: string) => void)[] = [];

  constructor(child: ChildProcess) {
    this.child = child;
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.on('data', (chunk: Buffer) => {
        this.#chunks[name].push(chunk);
        if (name === 'stdout') for (const listener of this.#listeners) listener(chunk.toString('utf8'));
      });
    }
    this.ended = once(child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  get pid(): number {
    assert.ok(this.child.pid !== undefined, 'the process could not be started');
    return this.child.pid;
  }

  get stdout(): string {
    return Buffer.concat(this.#chunks.stdout).toString('utf8');
  }

  get stdoutBytes(): Buffer {
    return Buffer.concat(this.#chunks.stdout);
  }

  get stderr(): string {
    return Buffer.concat(this.#chunks.stderr).toString('utf8');
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  onStdout(listener: (text: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Waits until `text` is on stdout or stderr. Fails if the process ends first. */
  async says(text: string): Promise<void> {
    await until(`"${text}" from ringfence, which wrote:\n${this.stdout}${this.stderr}`, () => {
      if (this.stdout.includes(text) || this.stderr.includes(text)) return true;
      assert.ok(this.alive, `ringfence ended before it printed "${text}":\n${this.stdout}${this.stderr}`);
      return false;
    });
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Ended> {
    if (this.alive) this.child.kill(signal);
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
  }
}

/** A `ringfence` with separate state, runtime and pin directories, which disposal removes. */
export class Installation implements AsyncDisposable {
  readonly dir: string = mkdtempSync(join(tmpdir(), 'rf-e2e-'));
  readonly stateDir: string = join(this.dir, 'state');
  /** State of the sensor's process, if it has a user of its own. */
  readonly sensorStateDir: string = `${this.stateDir}-sensor`;
  readonly runDir: string = join(this.dir, 'run');
  readonly pinPath: string = `/sys/fs/bpf/rf-test-${process.pid}-${this.dir.slice(-6)}`;
  readonly socket: string = join(this.runDir, 'ringfence.sock');
  /** Settings of every command of this installation, as `key=value`. */
  readonly settings: string[];
  /** Environment of every command of this installation. */
  readonly env: Record<string, string> = {};
  readonly #started: Running[] = [];

  constructor(settings: readonly string[] = []) {
    this.settings = [
      `stateDir=${this.stateDir}`,
      `runDir=${this.runDir}`,
      `sensor.pinPath=${this.pinPath}`,
      'metrics.enabled=false',
      ...settings,
    ];
  }

  /** Starts a command and returns immediately. */
  start(args: readonly string[], { env = {}, uid, bare = false, terminal = false }: RunOptions = {}): Running {
    const settings = bare ? [] : ['--config', '/dev/null', ...this.settings.flatMap((text) => ['--set', text])];
    const needsReadablePaths = uid !== undefined || this.settings.some((text) => text.startsWith('user='));
    const accessible = needsReadablePaths ? readable : (path: string): string => path;
    const program = [accessible(process.execPath), '--conditions=@ringfence/source', accessible(MAIN)];
    const command = [...program, ...args, ...settings];
    if (uid !== undefined)
      command.unshift('setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--bounding-set=-all', '--');
    const environment = { ...cleanEnvironment(), ...this.env, ...env };
    const running = new Running(
      spawnPiped(terminal ? inTerminal(command) : command, {
        ...{ cwd: accessible(ROOT), env: environment, stdio: [terminal ? 'pipe' : 'ignore', 'pipe', 'pipe'] },
      }),
    );
    this.#started.push(running);
    return running;
  }

  /** Runs a command to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** Runs a command that must succeed, and returns its stdout. */
  async output(args: readonly string[], options?: RunOptions): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    assert.equal(code, 0, `ringfence ${args.join(' ')}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** Starts `ringfence up` and waits until it watches the machine. */
  async up(args: readonly string[] = [], options?: RunOptions): Promise<Running> {
    await buildSensor();
    const running = this.start(['up', ...args], options);
    await running.says('Ctrl-C stops');
    return running;
  }

  get auditPath(): string {
    return join(this.stateDir, 'audit.db');
  }

  audit(): AuditReader {
    return new AuditReader(this.auditPath);
  }

  /** Asserts that pins and socket are removed. */
  assertClean(): void {
    assert.equal(existsSync(this.pinPath), false, 'pins remain');
    assert.equal(existsSync(this.socket), false, 'the socket remains');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#started) await running.stop('SIGKILL');
    uninstallSensor(this.pinPath);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Returns the environment without settings of Ringfence, Node and the test runner. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(RINGFENCE_|NODE_TEST|NODE_OPTIONS)/.test(name)),
  );
}

/** Returns a command by which a shell, the leader of a session with a terminal, starts this one and waits. */
export function inTerminal(command: readonly string[]): string[] {
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  return ['script', '-qefc', `${quoted}; true`, '/dev/null'];
}

const spawnPiped = ([command = '', ...args]: readonly string[], options: SpawnOptions): ChildProcess =>
  spawn(command, args, options);
