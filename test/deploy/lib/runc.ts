import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brought, environment } from './brought.ts';
import { makeSleeper } from './sleeper.ts';

/** Where runc keeps what runs; it makes the directory and leaves it. */
const STATE = '/run/runc';

interface Spec {
  readonly process: { terminal: boolean; args: string[] };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Containers as the OCI runtime alone makes them: no daemon, no engine, nobody to be asked but the runtime's own state. */
export class Runc implements AsyncDisposable {
  readonly bundle: string = mkdtempSync(join(tmpdir(), 'rf-runc-'));
  /** the program in there */
  readonly sleeper: string;
  /** what the runtime's cgroups are called like */
  readonly prefix: string = `rf-runc-${process.pid}-`;
  readonly #environment: NodeJS.ProcessEnv = environment();
  readonly #program: string;
  readonly #foundState: boolean = existsSync(STATE);
  readonly #running = new Set<ChildProcess>();

  constructor() {
    this.#program = brought('runc');
    this.sleeper = makeSleeper(join(this.bundle, 'rootfs'));
    execFileSync(this.#program, ['spec'], { cwd: this.bundle, env: this.#environment });
  }

  /** Changes what the next container will be. */
  describe(change: (spec: Spec) => Spec): void {
    const path = join(this.bundle, 'config.json');
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')) as Spec)));
  }

  /** The next containers live for so long. */
  live(milliseconds: number): void {
    this.describe((spec) => ({
      ...spec,
      process: { ...spec.process, terminal: false, args: [this.sleeper, String(milliseconds)] },
    }));
  }

  /** Starts one; what is awaited is its end. */
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
    if (!this.#foundState && existsSync(STATE)) rmdirSync(STATE);
  }
}
