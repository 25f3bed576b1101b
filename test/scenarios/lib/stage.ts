import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadConfig, parseSet, socketOf } from '@ringfence/config';
import { type App, routesOf, serveApi, startApp } from '@ringfence/runtime';
import { buildSensor } from '@ringfence/sensor/build';
import { uninstallSensor } from '@ringfence/sensor/parts';
import { createLogger } from '@ringfence/telemetry';
import type { Incident } from '@ringfence/wire';
import { TestContainer } from '../../e2e/lib/container.ts';
import { until } from '../../e2e/lib/wait.ts';
import { Attacker, freePort } from './attacker.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
/** Files of /etc that programs need to start. */
const ETC = ['passwd', 'group', 'nsswitch.conf', 'ld.so.cache', 'hosts'];
/** Enforces the kills of rules, only in the containers of the scenarios. */
const POLICY = `
policy: scenarios
desc: Enforces the kills of rules, only in the containers of the scenarios.
mode: enforce
scope:
  cgroup: /rf-scenario-*
when:
  action: kill
do: kill
`;

/** A started attack. */
export interface Played {
  /** Pid of the root process of its tree, which its incident must contain. */
  readonly pid: number;
  readonly ended: Promise<number | null>;
}

/** The complete pipeline in this process with the real sensor, and sandboxes for attacks. */
export class Stage implements AsyncDisposable {
  readonly app: App;
  readonly attacker: Attacker;
  readonly #dir: string;
  readonly #local: number;
  readonly #running: AsyncDisposable;
  readonly #containers: TestContainer[] = [];
  readonly #children: ChildProcess[] = [];
  #count = 0;

  private constructor(app: App, attacker: Attacker, dir: string, local: number, running: AsyncDisposable) {
    this.app = app;
    this.attacker = attacker;
    this.#dir = dir;
    this.#local = local;
    this.#running = running;
  }

  static async open(): Promise<Stage> {
    await buildSensor();
    const dir = mkdtempSync(join(tmpdir(), 'rf-scenarios-'));
    for (const folder of ['bin', 'srv', 'policies']) mkdirSync(join(dir, folder), { mode: 0o755 });
    for (const program of ['fileless', 'peer'])
      execFileSync('cc', ['-O1', '-o', join(dir, 'bin', program), join(ROOT, 'programs', `${program}.c`)]);
    writeFileSync(join(dir, 'policies/scenarios.yaml'), POLICY);
    const settings = [
      `stateDir=${join(dir, 'state')}`,
      `runDir=${join(dir, 'run')}`,
      `sensor.pinPath=${pinPathOf(dir)}`,
      'metrics.enabled=false',
      `detector.rules=${join(ROOT, 'rules.yaml')}`,
      'detector.localPeers=true',
      `responder.policies=${join(dir, 'policies')}`,
    ];
    const config = loadConfig({ file: '/dev/null', env: {}, flags: settings.map(parseSet) });
    await using stack = new AsyncDisposableStack();
    const app = stack.use(await startApp(config, createLogger({ level: 'error' })));
    stack.use(await serveApi(socketOf(config), routesOf(app), app.operators.record));
    const attacker = stack.use(await Attacker.listen());
    const local = await freePort();
    return new Stage(app, attacker, dir, local, stack.move());
  }

  /** Starts attacks/NAME.sh in a new sandbox, in a container or on the host. */
  play(name: string, inContainer = false): Played {
    const files = join(this.#dir, `play-${this.#count++}`);
    mkdirSync(join(files, 'etc/cron.d'), { recursive: true });
    for (const file of ETC) if (existsSync(`/etc/${file}`)) copyFileSync(`/etc/${file}`, join(files, 'etc', file));
    writeFileSync(join(files, 'etc/shadow'), 'root:$y$j9T$scenario$notarealhash:20000:0:99999:7:::\n', { mode: 0o600 });
    const cgroup = inContainer ? this.#container().cgroup : '-';
    const script = join(ROOT, 'attacks', `${name}.sh`);
    const sandbox = ['/bin/sh', join(ROOT, 'lib/sandbox.sh'), files, this.#dir, cgroup, script];
    const child = spawn('unshare', ['--mount', '--propagation', 'private', ...sandbox], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', PORT: String(this.attacker.port), LOCAL: String(this.#local) },
      stdio: 'ignore',
    });
    this.#children.push(child);
    assert.ok(child.pid !== undefined);
    return { pid: child.pid, ended: once(child, 'exit').then(([code]) => code as number | null) };
  }

  #container(): TestContainer {
    const container = new TestContainer(join(this.#dir, 'run'), 'rf-scenario');
    this.#containers.push(container);
    return container;
  }

  /** Runs a command against this pipeline, as in a second terminal, and returns its stdout. */
  async ringfence(...args: readonly string[]): Promise<string> {
    const command = ['--conditions=@ringfence/source', join(ROOT, '../../cli/src/main.ts'), ...args];
    const settings = ['--config', '/dev/null', '--set', `runDir=${join(this.#dir, 'run')}`];
    const { stdout } = await run(process.execPath, [...command, ...settings], {
      env: { PATH: process.env['PATH'], SUDO_USER: 'ann' },
    });
    return stdout;
  }

  /** Returns the incidents of a process tree. */
  async incidentsOf({ pid }: Played): Promise<Incident[]> {
    const all = await Array.fromAsync(this.app.audit?.incidents({ limit: 1000 }) ?? []);
    return all.filter(({ state, processes }) => state !== 'merged' && processes.some((process) => process.pid === pid));
  }

  /** Waits until the process tree has one incident with at least this number of alerts. */
  incidentOf(played: Played, alerts: number): Promise<Incident> {
    return until(
      `an incident of pid ${played.pid} with ${alerts} alerts`,
      async () => {
        const incidents = await this.incidentsOf(played);
        return incidents.length === 1 && (incidents[0]?.alerts.length ?? 0) >= alerts && incidents[0];
      },
      20_000,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const container of this.#containers) await container[Symbol.asyncDispose]();
    await this.#running[Symbol.asyncDispose]();
    uninstallSensor(pinPathOf(this.#dir));
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

const pinPathOf = (dir: string): string => `/sys/fs/bpf/rf-test-${process.pid}-${dir.slice(-6)}`;

/** Returns the first comment of an attack, its description. */
export const titleOf = (name: string): string =>
  (readFileSync(join(ROOT, 'attacks', `${name}.sh`), 'utf8').split('\n')[0] ?? '').replace(/^# /, '');
