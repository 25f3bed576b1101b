import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroupsOf } from '@ringfence/simulator/demo';
import { skip as programSkip } from '../../e2e/lib/root.ts';
import { until } from '../../e2e/lib/wait.ts';
import { ENGINE_DIRECTORY, engineEnvironment, ROOT } from './engine-files.ts';
import { runConcurrently } from './sleeper.ts';

/** For `test(..., { skip })`: false if an engine can be started, otherwise the reason. */
export const skip: string | false =
  programSkip ||
  (existsSync(ENGINE_DIRECTORY)
    ? false
    : 'no container engine is installed: npm test installs one as root if there is apt');

/** Directories that an engine creates outside of its own. Disposal removes them unless they existed before. */
const SIDE_DIRECTORIES = ['/etc/docker', '/opt/containerd', '/run/containerd', '/run/docker'];

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A separate Docker engine. Disposal removes its directories, socket and mount namespace. Only the host network works.
 */
export class Engine implements AsyncDisposable {
  readonly dir: string = mkdtempSync(join(tmpdir(), 'rf-engine-'));
  readonly dataRoot: string = join(this.dir, 'data');
  readonly #preexisting: readonly string[] = [...SIDE_DIRECTORIES, ...cgroupsOf('docker')].filter((path) =>
    existsSync(path),
  );
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
      ...engineEnvironment(),
      DOCKER_HOST: `unix://${this.dir}/socket`,
      DOCKER_CONFIG: join(this.dir, 'client'),
      DOCKER_BUILDKIT: '0',
    };
    const log = openSync(join(this.dir, 'log'), 'w');
    // The engine ends when the test is killed.
    const command = ['--pdeathsig', 'TERM', 'unshare', '--mount', '--propagation', 'shared', 'dockerd'];
    const args = [...command, '--config-file', join(this.dir, 'daemon.json')];
    this.#daemon = spawn('setpriv', args, { env: this.#environment, stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** Starts an engine and waits until it answers. */
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

  run(...args: readonly string[]): CommandResult {
    return spawnSync('docker', args, { cwd: ROOT, env: this.#environment, encoding: 'utf8', maxBuffer: 64 << 20 });
  }

  /** Runs a command that must succeed, and returns its stdout. */
  output(...args: readonly string[]): string {
    const { status, stdout, stderr } = this.run(...args);
    assert.equal(status, 0, `docker ${args.join(' ')}:\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** Runs a container to its end and removes it, without blocking. */
  runOnce(image: string, ...command: readonly string[]): Promise<void> {
    return runConcurrently('docker', ['run', '--rm', '--network', 'none', image, ...command], this.#environment);
  }

  /** Imports the base system as an image. */
  importBase(name: string): void {
    this.output('import', join(ENGINE_DIRECTORY, 'base.tar'), name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const containers = this.run('ps', '-aq').stdout.split('\n').filter(Boolean);
    if (containers.length > 0) this.run('rm', '-f', ...containers);
    if (this.#daemon.exitCode === null && this.#daemon.signalCode === null) {
      const ended = once(this.#daemon, 'exit');
      this.#daemon.kill('SIGTERM');
      await ended;
    }
    const isNew = (path: string): boolean => existsSync(path) && !this.#preexisting.includes(path);
    for (const path of [this.dir, ...SIDE_DIRECTORIES.filter(isNew)]) rmSync(path, { recursive: true, force: true });
    for (const path of cgroupsOf('docker').filter(isNew)) rmdirSync(path);
  }
}
