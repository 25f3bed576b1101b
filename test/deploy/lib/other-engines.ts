/** Podman and containerd, whose data is below a root directory of the test as it is below `/` on a host. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupsOf, removeCgroups } from '@ringfence/simulator/demo';
import { until } from '../../e2e/lib/wait.ts';
import { ENGINE_DIRECTORY, engineEnvironment, engineProgram } from './engine-files.ts';
import { runConcurrently } from './sleeper.ts';

function output(file: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    env: engineEnvironment(),
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (error !== undefined) throw error;
  assert.equal(status, 0, `${file} ${args.join(' ')}:\n${stdout}${stderr}`);
  return stdout.trim();
}

/** Low limits, because raising limits needs a privilege. */
const LIMITS = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=4096:4096'];

export class Podman implements AsyncDisposable {
  readonly #dir: string;
  readonly #options: readonly string[];

  /**
   * Uses runc, because crun rejects machines with cgroups of both versions.
   * @param root directory in place of `/`
   * @param dir directory for other files of Podman
   */
  constructor(root: string, dir: string) {
    this.#dir = dir;
    const directories = [
      '--root',
      join(root, 'var/lib/containers/storage'),
      '--runroot',
      join(root, 'run/containers/storage'),
    ];
    const programs = ['--runtime', engineProgram('runc'), '--conmon', engineProgram('conmon')];
    const rest = ['--tmpdir', join(dir, 'libpod'), '--storage-driver', 'overlay', '--events-backend', 'file'];
    this.#options = [...directories, ...programs, ...rest, '--cgroup-manager', 'cgroupfs'];
  }

  /** Loads the base system as an image. */
  load(image: string): void {
    const archive = join(this.#dir, 'archive');
    mkdirSync(archive);
    const layer = join(ENGINE_DIRECTORY, 'base.tar');
    const digest = createHash('sha256').update(readFileSync(layer)).digest('hex');
    const rootfs = { type: 'layers', diff_ids: [`sha256:${digest}`] };
    writeFileSync(join(archive, 'config.json'), JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }));
    const manifest = [{ Config: 'config.json', RepoTags: [image], Layers: ['base.tar'] }];
    writeFileSync(join(archive, 'manifest.json'), JSON.stringify(manifest));
    const policy = join(this.#dir, 'policy.json');
    writeFileSync(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
    const tar = join(this.#dir, 'image.tar');
    execFileSync('tar', [
      '-cf',
      tar,
      '-C',
      archive,
      'manifest.json',
      'config.json',
      '-C',
      ENGINE_DIRECTORY,
      'base.tar',
    ]);
    this.output('load', '--signature-policy', policy, '--input', tar);
  }

  /** Starts a container and returns its id. */
  start(name: string, image: string, ...command: readonly string[]): string {
    return this.output('run', '-d', '--name', name, ...LIMITS, '--network', 'none', image, ...command);
  }

  /** Runs a container with this root file system to its end and removes it. */
  runOnce(rootfs: string, ...command: readonly string[]): Promise<void> {
    const args = ['run', '--rm', ...LIMITS, '--network', 'none', '--rootfs', rootfs, ...command];
    return runConcurrently(engineProgram('podman'), [...this.#options, ...args]);
  }

  output(...args: readonly string[]): string {
    return output(engineProgram('podman'), [...this.#options, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.output('rm', '--all', '--force', '--time', '0');
    this.output('system', 'reset', '--force');
    await removeCgroups(cgroupsOf('libpod_parent').filter(existsSync));
  }
}

/** Directories that containerd's shims create outside of the configured state. */
const SIDE_DIRECTORIES = ['/run/containerd', '/opt/containerd'];

export class Containerd implements AsyncDisposable {
  readonly #address: string;
  readonly #daemon: ChildProcess;
  readonly #rootfs: string;
  readonly #started: string[] = [];
  readonly #preexisting: readonly string[] = [...SIDE_DIRECTORIES, ...cgroupsOf('default')].filter((path) =>
    existsSync(path),
  );

  private constructor(root: string, dir: string) {
    this.#address = join(dir, 'containerd.sock');
    this.#rootfs = join(dir, 'rootfs');
    mkdirSync(this.#rootfs);
    execFileSync('tar', ['-C', this.#rootfs, '-xf', join(ENGINE_DIRECTORY, 'base.tar')]);
    const settings = [
      'version = 2',
      `root = "${join(dir, 'containerd')}"`,
      `state = "${join(root, 'run/containerd')}"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      `[grpc]\naddress = "${this.#address}"`,
    ];
    writeFileSync(join(dir, 'containerd.toml'), settings.join('\n'));
    const log = openSync(join(dir, 'containerd.log'), 'w');
    // The daemon ends when the test is killed.
    const args = ['--pdeathsig', 'TERM', engineProgram('containerd'), '--config', join(dir, 'containerd.toml')];
    this.#daemon = spawn('setpriv', args, { env: engineEnvironment(), stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** Starts containerd and waits until it answers. */
  static async start(root: string, dir: string): Promise<Containerd> {
    const engine = new Containerd(root, dir);
    const answers = (): boolean =>
      spawnSync(engineProgram('ctr'), ['--address', engine.#address, 'version'], { env: engineEnvironment() })
        .status === 0;
    await until('containerd', () => {
      assert.equal(engine.#daemon.exitCode, null, readFileSync(join(dir, 'containerd.log'), 'utf8').slice(-2000));
      return answers();
    });
    return engine;
  }

  run(id: string, ...command: readonly string[]): void {
    this.#started.push(id);
    this.output(
      'run',
      '-d',
      '--rootfs',
      '--label',
      'org.opencontainers.image.ref.name=shop/web:2',
      this.#rootfs,
      id,
      ...command,
    );
  }

  /** Runs a container with this root file system to its end and removes it. */
  runOnce(id: string, rootfs: string, ...command: readonly string[]): Promise<void> {
    return runConcurrently(engineProgram('ctr'), [
      '--address',
      this.#address,
      'run',
      '--rm',
      '--rootfs',
      rootfs,
      id,
      ...command,
    ]);
  }

  output(...args: readonly string[]): string {
    return output(engineProgram('ctr'), ['--address', this.#address, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.#started) {
      this.output('task', 'kill', '--signal', 'SIGKILL', '--all', id);
      await until(`the end of ${id}`, () => / STOPPED/.test(this.output('task', 'ls')));
      this.output('task', 'rm', id);
      this.output('container', 'rm', id);
    }
    const ended = once(this.#daemon, 'exit');
    this.#daemon.kill('SIGTERM');
    await ended;
    const isNew = (path: string): boolean => existsSync(path) && !this.#preexisting.includes(path);
    for (const path of SIDE_DIRECTORIES.filter(isNew)) rmSync(path, { recursive: true });
    await removeCgroups(cgroupsOf('default').filter(isNew));
  }
}
