import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeCgroups } from '@ringfence/simulator/demo';
import { cgroupRoot } from '../../e2e/lib/container.ts';
import { skip as programSkip } from '../../e2e/lib/root.ts';
import { until } from '../../e2e/lib/wait.ts';
import { ROOT } from './brought.ts';

const SYSTEMD = '/usr/lib/systemd/systemd';
export const skip: string | false = programSkip || (existsSync(SYSTEMD) ? false : 'systemd is not installed');

/** A systemd of its own, first process of its namespaces and of a cgroup, with the unit installed. */
export class SystemdMachine implements AsyncDisposable {
  // Not in /tmp, which has a file system of its own in there.
  readonly #dir: string = mkdtempSync('/var/tmp/rf-systemd-');
  readonly #cgroup: string = join(cgroupRoot(), `rf-systemd-${process.pid}`);
  readonly #child: ChildProcess;
  #said = '';

  private constructor() {
    mkdirSync(this.#cgroup);
    const namespaces = ['--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup', '--propagation', 'private'];
    const script = join(import.meta.dirname, 'systemd-machine.sh');
    const inside = ['unshare', ...namespaces, '--fork', '--kill-child', 'sh', script, this.#dir, ROOT];
    const entered = `echo $$ > ${this.#cgroup}/cgroup.procs && exec "$@"`;
    const command = ['--pdeathsig', 'KILL', 'sh', '-c', entered, 'sh', ...inside];
    this.#child = spawn('setpriv', command, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.#said = (this.#said + text.toString('utf8')).slice(-4096);
    });
  }

  static async start(): Promise<SystemdMachine> {
    const machine = new SystemdMachine();
    try {
      await until('systemd', () => {
        assert.equal(machine.#child.exitCode, null, machine.#said);
        return machine.#isSystemd() && machine.run('systemctl', 'is-system-running').stdout === 'running\n';
      });
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** On the host; 0: not yet. */
  get #first(): number {
    const { pid } = this.#child;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim());
  }

  #isSystemd(): boolean {
    return this.#first !== 0 && readFileSync(`/proc/${this.#first}/comm`, 'latin1') === 'systemd\n';
  }

  run(...command: readonly string[]): SpawnSyncReturns<string> {
    const into = ['-t', String(this.#first), '--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup', '--'];
    const places = ['env', 'XDG_CONFIG_HOME=/etc', 'XDG_STATE_HOME=/var/lib', 'XDG_RUNTIME_DIR=/run'];
    return spawnSync('nsenter', [...into, ...places, ...command], { encoding: 'utf8', cwd: '/' });
  }

  /** Of a command that must succeed. */
  output(...command: readonly string[]): string {
    const { status, stdout, stderr } = this.run(...command);
    assert.equal(status, 0, `${command.join(' ')}:\n${stdout}${stderr}`);
    return stdout.trim();
  }

  property(name: string): string {
    return this.output('systemctl', 'show', 'ringfence', '--value', '-p', name);
  }

  get journal(): string {
    return this.output('journalctl', '-u', 'ringfence', '-o', 'cat', '--no-pager');
  }

  /** Of the unit, as the host counts; the first of them is the main one. */
  get pids(): number[] {
    const path = join(this.#cgroup, 'system.slice/ringfence.service/cgroup.procs');
    return readFileSync(path, 'latin1').trim().split('\n').map(Number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      // What --kill-child ends is the first process, and with it all the others.
      await ended;
    }
    await removeCgroups([this.#cgroup]);
    rmdirSync(this.#dir);
  }
}
