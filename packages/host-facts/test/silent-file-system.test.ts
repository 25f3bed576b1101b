import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { kernelDevice } from '@ringfence/host-kit';
import type { RecordSource } from '@ringfence/sensor';
import { OtherMounts, silentFuseSkip } from '@ringfence/testkit/silent-file-system';
import { records } from '@ringfence/wire';
import { ExecHashes } from '../src/hash/exec-hashes.ts';
import type { HashFact } from '../src/hash/types.ts';

const directory = mkdtempSync(join(tmpdir(), 'rf-silent-'));
const server = join(directory, 'silent-fuse');
after(() => rmSync(directory, { recursive: true }));

/** The mount namespace of an attacker. */
class AttackerMounts extends OtherMounts {
  constructor() {
    super(directory);
  }

  execOf(path: string): RecordSource {
    return execBy(this.pid, path);
  }

  /** Mounts an overlay above a file system that is as `way` says. Returns the path of its file. */
  async overlay(way: 'reads' | 'slow'): Promise<string> {
    await this.run(`mkdir lower upper; sleep infinity | ${server} lower ${way} &`);
    await this.run('mount -t overlay x -o lowerdir=lower:upper upper; echo done');
    return join(this.directory, 'upper/file');
  }
}

/** The sensor's record of an exec of the script by a process, as the file is now. */
function execBy(pid: number, path: string): RecordSource {
  const file = `/proc/${pid}/root${path}`;
  const { ino, ctimeNs } = statSync(file, { bigint: true });
  // The device of the overlay: of a file in it, stat(2) returns another one.
  const { dev } = statSync(dirname(file), { bigint: true });
  const namespace = Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/mnt`))?.[0]);
  const bytes = Buffer.concat([Buffer.alloc(records.SIZEOF_EXEC), Buffer.from(path)]);
  bytes.writeUInt32LE(pid, records.HEADER_TGID);
  bytes.writeUInt32LE(namespace, records.EXEC_NAMESPACES + records.NAMESPACES_MNT);
  bytes.writeUInt32LE(kernelDevice(dev), records.EXEC_SCRIPT_DEVICE);
  bytes.writeBigUInt64LE(ino, records.EXEC_SCRIPT_INODE);
  bytes.writeBigInt64LE(ctimeNs, records.EXEC_SCRIPT_CTIME);
  bytes.writeUInt32LE(records.SIZEOF_EXEC, records.EXEC_SCRIPT + records.TEXT_OFFSET);
  for (const field of [records.TEXT_KEPT, records.TEXT_LENGTH])
    bytes.writeUInt32LE(path.length, records.EXEC_SCRIPT + field);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

class Hashes implements AsyncDisposable {
  readonly facts: HashFact[] = [];
  readonly #limits = { maxBytes: 16 << 20, bytesPerSecond: 64 << 20 };
  readonly hashes: ExecHashes;

  constructor(callMaxMs = 200) {
    this.hashes = new ExecHashes({ enabled: true, log: silentLog, ...this.#limits, callMaxMs, onAnswer: () => {} });
  }

  /** Returns whether the file that the record names was hashed, or why not. */
  async of(source: RecordSource): Promise<string> {
    const count = this.facts.length;
    this.hashes.onExec(source, 0);
    const path = source.bytes.toString('utf8', records.SIZEOF_EXEC);
    for (; ; await sleep(5)) {
      this.hashes.flush({ hash: (fact) => this.facts.push(fact) }, true);
      const fact = this.facts.slice(count).find((candidate) => candidate.path.toString() === path);
      if (fact !== undefined) return fact.skipped ?? 'hashed';
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.hashes.close();
  }
}

describe('a file system that does not answer', { skip: silentFuseSkip(server) }, () => {
  const local = join(directory, 'local.sh');
  before(() => writeFileSync(local, '#!/bin/sh\n'));

  it('is not asked for a file, when it was mounted over the way to the file after the exec', async () => {
    await using mounts = new AttackerMounts();
    await using hashes = new Hashes();
    mkdirSync(join(mounts.directory, 'way/on'), { recursive: true });
    writeFileSync(join(mounts.directory, 'way/on/script'), '#!/bin/sh\n');
    await mounts.run('echo started');
    const exec = mounts.execOf(join(mounts.directory, 'way/on/script'));
    await mounts.run(`${server} way lookups &`);
    assert.equal(await hashes.of(exec), 'gone');
    assert.equal(hashes.hashes.stats().stuck, 0);
    assert.equal(await hashes.of(mounts.execOf(local)), 'hashed');
  });

  it('does not hide a file below a local file system that was mounted on the way', async () => {
    await using mounts = new AttackerMounts();
    await using hashes = new Hashes();
    const script = join(mounts.directory, 'way/script');
    await mounts.run('mkdir way; mount -t tmpfs x way; echo "#!/bin/sh" >way/script; echo done');
    assert.equal(await hashes.of(mounts.execOf(script)), 'hashed');
  });

  it('holds one thread, while another one hashes the other files of the host', async () => {
    await using mounts = new AttackerMounts();
    await using hashes = new Hashes();
    const held = hashes.of(mounts.execOf(await mounts.overlay('reads')));
    await using other = new AttackerMounts();
    await other.run('echo started');
    assert.deepEqual(await Promise.all([held, hashes.of(other.execOf(local))]), ['timed out', 'hashed']);
    const { stuck, skipped } = hashes.hashes.stats();
    assert.deepEqual([stuck, skipped], [1, { 'timed out': 1 }]);
    writeFileSync(join(mounts.directory, 'second'), '#!/bin/sh\n');
    assert.equal(
      await hashes.of(mounts.execOf(join(mounts.directory, 'second'))),
      'timed out',
      'its namespace is avoided',
    );
  });

  it('does not stop the hashes of the host, when it holds all threads for other mount namespaces', async () => {
    await using attackers = new AsyncDisposableStack();
    await using hashes = new Hashes();
    const held: Promise<string>[] = [];
    while (held.length < 8) {
      const mounts = attackers.use(new AttackerMounts());
      held.push(hashes.of(mounts.execOf(await mounts.overlay('reads'))));
    }
    assert.deepEqual(new Set(await Promise.all(held)), new Set(['timed out']));
    assert.equal(await hashes.of(execBy(process.pid, local)), 'hashed');
    assert.equal(hashes.hashes.stats().stuck, 8);
  });

  it('does not hold the thread by slow answers, of which none is late', async () => {
    await using mounts = new AttackerMounts();
    await using hashes = new Hashes(1000);
    const slow = mounts.execOf(await mounts.overlay('slow'));
    writeFileSync(join(mounts.directory, 'second'), '#!/bin/sh\n');
    assert.equal(await hashes.of(slow), 'timed out');
    assert.equal(await hashes.of(mounts.execOf(join(mounts.directory, 'second'))), 'timed out', 'it is avoided');
    await using other = new AttackerMounts();
    await other.run('echo started');
    assert.equal(await hashes.of(other.execOf(local)), 'hashed');
    assert.equal(hashes.hashes.stats().stuck, 0);
  });

  it('is not asked for the token of a pod that mounts it in place of its own', async () => {
    await using mounts = new AttackerMounts();
    const id = 'a1'.repeat(32);
    const volume = 'var/lib/kubelet/pods/p1/volumes/kubernetes.io~nfs/v';
    const bundle = join(mounts.directory, 'run/containerd/io.containerd.runtime.v2.task/k8s.io', id);
    mkdirSync(bundle, { recursive: true });
    const destination = '/var/run/secrets/kubernetes.io/serviceaccount';
    const annotations = { 'io.kubernetes.cri.sandbox-name': 'web-0' };
    const spec = { process: {}, annotations, mounts: [{ source: `/${volume}`, destination }] };
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec));
    await mounts.run(`mkdir -p ${volume}; ${server} ${volume} lookups &`);
    const program = join(import.meta.dirname, 'programs/pod-child.ts');
    const root = `/proc/${mounts.pid}/root${mounts.directory}`;
    const args = ['--conditions=@ringfence/source', program, root, id];
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' });
    assert.equal(stdout, '["web-0",""]');
  });

  it('does not keep the process from ending', async () => {
    await using mounts = new AttackerMounts();
    const file = `/proc/${mounts.pid}/root${await mounts.overlay('reads')}`;
    const args = ['--conditions=@ringfence/source', join(import.meta.dirname, 'programs/held-child.ts'), file];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
    assert.deepEqual([stdout, status], ['reading\n', 7]);
  });
});
