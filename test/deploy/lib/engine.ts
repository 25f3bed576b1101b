import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroupsOf } from '@ringfence/simulator/demo';
import { skip as programSkip } from '../../e2e/lib/root.ts';
import { until } from '../../e2e/lib/wait.ts';
import { BROUGHT, environment, ROOT } from './brought.ts';
import { runBeside } from './sleeper.ts';

/** For `test(..., { skip })`: false where an engine can be started, else why not. */
export const skip: string | false =
  programSkip ||
  (existsSync(BROUGHT) ? false : 'no container engine was brought: npm test does so as root, where there is apt');

/** What an engine makes outside of its own places; taken away again when it wasn't there before. */
const MADE = ['/etc/docker', '/opt/containerd', '/run/containerd', '/run/docker'];

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Docker engine of its own: its directories, socket and mounts (in a mount namespace of its own) end with it. No network but the host's. */
export class Engine implements AsyncDisposable {
  readonly dir: string = mkdtempSync(join(tmpdir(), 'rf-engine-'));
  readonly dataRoot: string = join(this.dir, 'data');
  readonly #found: readonly string[] = [...MADE, ...cgroupsOf('docker')].filter((path) => existsSync(path));
  readonly #environment: NodeJS.ProcessEnv;
  readonly #daemon: ChildProcess;

  private constructor() {
    const settings = {
      'data-root': this.dataRoot,
      'exec-root': join(this.dir, 'exec'),
      pidfile: join(this.dir, 'pid'),
      hosts: [`unix://${this.dir}/socket`],
      'exec-opts': ['native.cgroupdriver=cgroupfs'],
      bridge: 'none',
      iptables: false,
      'ip-forward': false,
    };
    writeFileSync(join(this.dir, 'daemon.json'), JSON.stringify(settings));
    this.#environment = {
      ...environment(),
      DOCKER_HOST: `unix://${this.dir}/socket`,
      DOCKER_CONFIG: join(this.dir, 'client'),
      DOCKER_BUILDKIT: '0',
    };
    const log = openSync(join(this.dir, 'log'), 'w');
    // Ends by itself when the test is killed.
    const command = ['--pdeathsig', 'TERM', 'unshare', '--mount', '--propagation', 'shared', 'dockerd'];
    const args = [...command, '--config-file', join(this.dir, 'daemon.json')];
    this.#daemon = spawn('setpriv', args, { env: this.#environment, stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** Resolves when it answers. */
  static async start(): Promise<Engine> {
    const engine = new Engine();
    try {
      await until('the container engine', () => {
        assert.equal(engine.#daemon.exitCode, null, `the engine ended:\n${engine.log}`);
        return engine.run('version').status === 0;
      });
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  get log(): string {
    return readFileSync(join(this.dir, 'log'), 'utf8').split('\n').slice(-20).join('\n');
  }

  run(...args: readonly string[]): Finished {
    return spawnSync('docker', args, { cwd: ROOT, env: this.#environment, encoding: 'utf8', maxBuffer: 64 << 20 });
  }

  /** Runs a command that must succeed; what it printed. */
  output(...args: readonly string[]): string {
    const { status, stdout, stderr } = this.run(...args);
    assert.equal(status, 0, `docker ${args.join(' ')}:\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** Runs a container to its end, while others go on; it is gone then. */
  runOnce(image: string, ...command: readonly string[]): Promise<void> {
    return runBeside('docker', ['run', '--rm', '--network', 'none', image, ...command], this.#environment);
  }

  /** Makes a minimal Debian an image of this name. */
  importBase(name: string): void {
    this.output('import', join(BROUGHT, 'base.tar'), name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const containers = this.run('ps', '-aq').stdout.split('\n').filter(Boolean);
    if (containers.length > 0) this.run('rm', '-f', ...containers);
    if (this.#daemon.exitCode === null && this.#daemon.signalCode === null) {
      const ended = once(this.#daemon, 'exit');
      this.#daemon.kill('SIGTERM');
      await ended;
    }
    const made = (path: string): boolean => existsSync(path) && !this.#found.includes(path);
    for (const path of [this.dir, ...MADE.filter(made)]) rmSync(path, { recursive: true, force: true });
    for (const path of cgroupsOf('docker').filter(made)) rmdirSync(path);
  }
}
