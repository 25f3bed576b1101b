import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineEnvironment, engineProgram } from './engine-files.ts';
import { makeSleeper } from './sleeper.ts';

/** State directory of runc, which runc creates and does not remove. */
const STATE_DIRECTORY = '/run/runc';

interface Spec {
  readonly process: { terminal: boolean; args: string[] };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Containers of the OCI runtime alone, without a daemon or an engine; only the state of the runtime describes them. */
export class Runc implements AsyncDisposable {
  readonly bundle: string = mkdtempSync(join(tmpdir(), 'rf-runc-'));
  /** Path of the program in the container. */
  readonly sleeper: string;
  /** Prefix of container ids and cgroup names. */
  readonly prefix: string = `rf-runc-${process.pid}-`;
  readonly #environment: NodeJS.ProcessEnv = engineEnvironment();
  readonly #program: string;
  readonly #hadStateDirectory: boolean = existsSync(STATE_DIRECTORY);
  readonly #running = new Set<ChildProcess>();

  constructor() {
    this.#program = engineProgram('runc');
    this.sleeper = makeSleeper(join(this.bundle, 'rootfs'));
    execFileSync(this.#program, ['spec'], { cwd: this.bundle, env: this.#environment });
  }

  /** Changes the specification of the following containers. */
  configure(change: (spec: Spec) => Spec): void {
    const path = join(this.bundle, 'config.json');
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')) as Spec)));
  }

  /** Sets the lifetime of the following containers. */
  setLifetime(milliseconds: number): void {
    this.configure((spec) => ({
      ...spec,
      process: { ...spec.process, terminal: false, args: [this.sleeper, String(milliseconds)] },
    }));
  }

  /** Starts a container and waits for its end. */
  async run(name: string): Promise<void> {
    const args = ['run', '--bundle', this.bundle, this.prefix + name];
    const child = spawn(this.#program, args, { env: this.#environment, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#running.add(child);
    let errors = '';
    child.stderr.on('data', (text: Buffer) => (errors += text.toString('utf8')));
    const [code] = (await once(child, 'close')) as [number | null];
    this.#running.delete(child);
    assert.equal(code, 0, errors);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    rmSync(this.bundle, { recursive: true, force: true });
    if (!this.#hadStateDirectory && existsSync(STATE_DIRECTORY)) rmdirSync(STATE_DIRECTORY);
  }
}
