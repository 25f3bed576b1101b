import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeCgroups } from '@ringfence/simulator/demo';
import { cgroupRoot } from '../../e2e/lib/container.ts';
import { skip as programSkip } from '../../e2e/lib/root.ts';
import { until } from '../../e2e/lib/wait.ts';
import { ROOT } from './engine-files.ts';

const SYSTEMD = '/usr/lib/systemd/systemd';
export const skip: string | false = programSkip || (existsSync(SYSTEMD) ? false : 'systemd is not installed');

/** A separate systemd with the installed unit, in new namespaces and a new cgroup. */
export class SystemdMachine implements AsyncDisposable {
  // Not below /tmp, because the machine mounts a different file system there.
  readonly #dir: string = mkdtempSync('/var/tmp/rf-systemd-');
  readonly #cgroup: string = join(cgroupRoot(), `rf-systemd-${process.pid}`);
  readonly #child: ChildProcess;
  #stderr = '';

  private constructor() {
    mkdirSync(this.#cgroup);
    const namespaces = ['--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup', '--propagation', 'private'];
    const script = join(import.meta.dirname, 'systemd-machine.sh');
    const inside = ['unshare', ...namespaces, '--fork', '--kill-child', 'sh', script, this.#dir, ROOT];
    const entered = `echo $$ > ${this.#cgroup}/cgroup.procs && exec "$@"`;
    const command = ['--pdeathsig', 'KILL', 'sh', '-c', entered, 'sh', ...inside];
    this.#child = spawn('setpriv', command, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.#stderr = (this.#stderr + text.toString('utf8')).slice(-4096);
    });
  }

  static async start(): Promise<SystemdMachine> {
    const machine = new SystemdMachine();
    try {
      await until('systemd', () => {
        assert.equal(machine.#child.exitCode, null, machine.#stderr);
        return machine.#isSystemd() && machine.run('systemctl', 'is-system-running').stdout === 'running\n';
      });
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Pid of the machine's first process on the host; 0 before its start. */
  get #initPid(): number {
    const { pid } = this.#child;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim());
  }

  #isSystemd(): boolean {
    return this.#initPid !== 0 && readFileSync(`/proc/${this.#initPid}/comm`, 'latin1') === 'systemd\n';
  }

  run(...command: readonly string[]): SpawnSyncReturns<string> {
    const namespaces = ['-t', String(this.#initPid), '--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup', '--'];
    const environment = ['env', 'XDG_CONFIG_HOME=/etc', 'XDG_STATE_HOME=/var/lib', 'XDG_RUNTIME_DIR=/run'];
    return spawnSync('nsenter', [...namespaces, ...environment, ...command], { encoding: 'utf8', cwd: '/' });
  }

  /** Runs a command that must succeed, and returns its stdout. */
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

  /** Pids of the unit on the host. The first is the main process. */
  get pids(): number[] {
    const path = join(this.#cgroup, 'system.slice/ringfence.service/cgroup.procs');
    return readFileSync(path, 'latin1').trim().split('\n').map(Number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      // --kill-child kills the first process, and its exit ends all other processes.
      await ended;
    }
    await removeCgroups([this.#cgroup]);
    rmdirSync(this.#dir);
  }
}
