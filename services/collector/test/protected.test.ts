import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { protection } from '@ringfence/response';
import { killProcess } from '../src/control/kill.ts';
import { findInProc } from './proc.ts';

const root = `${mkdtempSync(join(tmpdir(), 'rf-protected-'))}/`;
after(() => rmSync(root, { recursive: true, force: true }));

const pids: number[] = [];
afterEach(() => {
  for (const pid of pids.splice(0)) process.kill(pid, 'SIGKILL');
});

/** Copies a program of this machine to a path below the root, as an executable of its own. */
function install(path: string, program = '/bin/sleep'): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  // A file that a process of another test still executes can't be written, only replaced.
  rmSync(file, { force: true });
  copyFileSync(program, file);
  return file;
}

/** Starts the file as a daemon: its parent is pid 1. */
function startDaemon(file: string): number {
  const shell = spawnSync('sh', ['-c', '"$0" 60 >/dev/null 2>&1 & echo $!', file], { encoding: 'utf8' });
  const pid = Number(shell.stdout);
  pids.push(pid);
  untilRunning(pid, file);
  return pid;
}

async function startChild(file: string): Promise<ChildProcess> {
  const child = spawn(file, ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  pids.push(child.pid as number);
  return child;
}

/** Waits until the shell's child has executed the file, and the shell has ended. */
function untilRunning(pid: number, file: string): void {
  const isRunning = () => findInProc(pid)?.executable === file && findInProc(pid)?.parentTgid === 1;
  for (let round = 0; round < 500 && !isRunning(); round++) execFileSync('sleep', ['0.01']);
}

function reasonOf(pid: number, options: { added?: readonly string[] } = {}): string | null {
  const facts = findInProc(pid);
  assert.ok(facts, `process ${pid}`);
  return protection(findInProc, { root, ...options })(facts);
}

const adopts = findAdopter() === 1 ? false : 'an orphan of this session is not adopted by pid 1';
function findAdopter(): number | undefined {
  const pid = Number(spawnSync('sh', ['-c', 'sleep 5 >/dev/null 2>&1 & echo $!'], { encoding: 'utf8' }).stdout);
  try {
    return findInProc(pid)?.parentTgid;
  } finally {
    process.kill(pid, 'SIGKILL');
  }
}

const SERVICE = 'a service of the host, container runtime, kubelet or sshd listener';

describe('a process that the host needs', { skip: adopts }, () => {
  for (const path of [
    'usr/bin/dbus-daemon',
    'usr/lib/systemd/systemd-logind',
    'lib/systemd/systemd-networkd',
    'lib/systemd/systemd-resolved',
    'lib/systemd/systemd-journald',
    'usr/sbin/NetworkManager',
    'usr/local/bin/dockerd',
    'var/lib/rancher/k3s/data/3f7c0d1e/bin/containerd',
    'var/lib/rancher/rke2/data/v1.33.1-rke2r1-0123456789ab/bin/kubelet',
    'snap/microk8s/8120/kubelite',
    'usr/local/bin/etcd',
  ])
    it(`is never killed: /${path}`, () => {
      const pid = startDaemon(install(path));
      assert.equal(reasonOf(pid), SERVICE);
      const isProtected = protection(findInProc, { root });
      const { outcome } = killProcess({ pid, start: 0n }, findInProc, isProtected, () => {});
      assert.equal(outcome, 'refused');
      assert.equal(findInProc(pid)?.tgid, pid, 'it is alive');
    });

  it('is known through a link, as systemd-udevd is', () => {
    const file = install('usr/bin/udevadm');
    mkdirSync(join(root, 'usr/lib/systemd'), { recursive: true });
    symlinkSync(file, join(root, 'usr/lib/systemd/systemd-udevd'));
    assert.equal(reasonOf(startDaemon(file)), SERVICE);
  });

  it('is not a process that was started from a shell or has only its name', async () => {
    const { pid } = await startChild(install('usr/bin/dbus-daemon'));
    assert.equal(reasonOf(pid as number), null);
    assert.equal(reasonOf(startDaemon(install('home/user/dbus-daemon'))), null);
  });
});

describe('an attacker who runs code in an orphan of a protected executable', { skip: adopts }, () => {
  const library = join(root, 'preloaded.so');
  const injected = join(root, 'injected');
  const source = `#include <fcntl.h>\n__attribute__((constructor)) void run(void) { open("${injected}", O_CREAT, 0600); }`;
  it('is not killed, which is a known limit that the result names', (t) => {
    const { status, error, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-x', 'c', '-', '-o', library], {
      input: source,
    });
    if (error !== undefined) return t.skip('there is no C compiler (cc)');
    assert.equal(status, 0, String(stderr));
    process.env['LD_PRELOAD'] = library;
    let pid: number;
    try {
      pid = startDaemon(install('usr/bin/conmon'));
    } finally {
      delete process.env['LD_PRELOAD'];
    }
    assert.ok(existsSync(injected), 'its code has run');
    const result = killProcess({ pid, start: 0n }, findInProc, protection(findInProc, { root }), () => {});
    assert.deepEqual([result.outcome, result.outcome === 'refused' && result.reason], ['refused', 'protected']);
  });

  it('is killed as the child of any other process, or from a copy of the executable', async () => {
    const { pid } = await startChild(install('usr/bin/conmon'));
    assert.equal(reasonOf(pid as number), null);
    assert.equal(reasonOf(startDaemon(install('tmp/conmon'))), null);
  });
});

describe('the setting collector.protected', () => {
  it('spares every process of its files, whatever their parent', async () => {
    const file = install('opt/bank/ledger');
    const other = install('opt/bank/report');
    const [ledger, report] = [await startChild(file), await startChild(other)];
    const added = ['/opt/bank/ledger'];
    assert.equal(reasonOf(ledger.pid as number, { added }), 'an executable of collector.protected');
    assert.equal(reasonOf(report.pid as number, { added }), null);
    assert.equal(reasonOf(ledger.pid as number), null);
  });

  it('takes a * for one part of a path', async () => {
    const { pid } = await startChild(install('opt/db/17.2/bin/server'));
    assert.notEqual(reasonOf(pid as number, { added: ['/opt/db/*/bin/server'] }), null);
    assert.equal(reasonOf(pid as number, { added: ['/opt/*/bin/server'] }), null);
  });

  it('ignores files that this host does not have', async () => {
    const { pid } = await startChild(install('opt/job'));
    assert.equal(reasonOf(pid as number, { added: ['/opt/missing', '/missing/*/x', '/opt/job/x'] }), null);
  });

  it('prevents every kill while one of its files cannot be looked up', async () => {
    const child = await startChild(install('opt/other-job'));
    symlinkSync('loop', join(root, 'opt/loop'));
    const isProtected = protection(findInProc, { root, added: ['/opt/loop'] });
    const result = killProcess({ pid: child.pid as number, start: 0n }, findInProc, isProtected, () => {});
    assert.equal(result.outcome, 'failed');
    assert.match(result.outcome === 'failed' ? result.reason : '', /opt\/loop cannot be looked up/);
    assert.equal(child.exitCode, null);
  });
});

const namespaces =
  process.getuid?.() === 0 && spawnSync('unshare', ['-pmf', '--mount-proc', 'true']).status === 0
    ? false
    : 'only root can start a process as pid 1 of a namespace';

describe('in a pid namespace, protection', { skip: namespaces }, () => {
  const program = join(import.meta.dirname, 'programs/protected-child.ts');

  /** Prepares the mounts, and returns why the process of `file` is protected that the command starts below pid 1. */
  function reason(prepare: string, from: string, file: string, command: string): unknown {
    const node = [process.execPath, '--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning'];
    const script = `${prepare}\nexec "$@"`;
    const args = ['-pmf', '--kill-child', '--mount-proc', 'sh', '-ec', script, 'sh'];
    const { stdout, stderr } = spawnSync('unshare', [...args, ...node, program, from, file, command], {
      encoding: 'utf8',
    });
    assert.notEqual(stdout, '', stderr);
    return JSON.parse(stdout);
  }

  it('covers a service whose file an upgrade has replaced while it ran', () => {
    const prepare = 'mount -t tmpfs x /usr/local/sbin; cp /bin/sleep /usr/local/sbin/runc';
    const file = '/usr/local/sbin/runc';
    assert.equal(reason(prepare, '/', file, `exec ${file} 60`), SERVICE);
    const daemon = `${file} 60 & while ! readlink /proc/$!/exe | grep -q runc; do :; done; rm ${file}`;
    assert.equal(reason(prepare, '/', `${file} (deleted)`, daemon), SERVICE);
  });

  it('covers the control plane in static pods, and no program of that name in another network', () => {
    const shim = install('usr/bin/containerd-shim-runc-v2', '/bin/sh');
    const server = install('images/kube-apiserver');
    const start = (prefix: string) => reason('', root, server, `exec ${shim} -c '${prefix} ${server} 60 & wait'`);
    assert.equal(start(''), 'a control plane of Kubernetes');
    assert.equal(start('unshare --net'), null);
  });

  it('covers the conmon of rootless podman, whose parent is the manager of a user session', () => {
    const manager = install('usr/lib/systemd/systemd', '/bin/sh');
    const conmon = install('usr/bin/conmon');
    assert.equal(reason('', root, conmon, `exec ${manager} -c '${conmon} 60 & wait'`), SERVICE);
    assert.equal(reason('', root, conmon, `sh -c '${conmon} 60 & wait'`), null);
  });
});
