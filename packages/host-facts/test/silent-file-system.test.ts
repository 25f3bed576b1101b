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

  /** The sensor's record of an exec of the script, as the file is now. */
  execOf(path: string): RecordSource {
    const file = `/proc/${this.pid}/root${path}`;
    const { ino, ctimeNs } = statSync(file, { bigint: true });
    // The device of the overlay: of a file in it, stat(2) returns another one.
    const { dev } = statSync(dirname(file), { bigint: true });
    const namespace = Number(/\d+/.exec(readlinkSync(`/proc/${this.pid}/ns/mnt`))?.[0]);
    const bytes = Buffer.concat([Buffer.alloc(records.SIZEOF_EXEC), Buffer.from(path)]);
    bytes.writeUInt32LE(this.pid, records.HEADER_TGID);
    bytes.writeUInt32LE(namespace, records.EXEC_NAMESPACES + records.NAMESPACES_MNT);
    bytes.writeUInt32LE(kernelDevice(dev), records.EXEC_SCRIPT_DEVICE);
    bytes.writeBigUInt64LE(ino, records.EXEC_SCRIPT_INODE);
    bytes.writeBigInt64LE(ctimeNs, records.EXEC_SCRIPT_CTIME);
    bytes.writeUInt32LE(records.SIZEOF_EXEC, records.EXEC_SCRIPT + records.TEXT_OFFSET);
    for (const field of [records.TEXT_KEPT, records.TEXT_LENGTH])
      bytes.writeUInt32LE(path.length, records.EXEC_SCRIPT + field);
    return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
  }
}

class Hashes implements AsyncDisposable {
  readonly facts: HashFact[] = [];
  readonly #limits = { maxBytes: 1 << 20, bytesPerSecond: 64 << 20, callMaxMs: 200 };
  readonly hashes = new ExecHashes({ enabled: true, log: silentLog, ...this.#limits, onAnswer: () => {} });

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
    await mounts.run(`mkdir lower upper; sleep infinity | ${server} lower reads &`);
    await mounts.run('mount -t overlay x -o lowerdir=lower:upper upper; echo done');
    const held = hashes.of(mounts.execOf(join(mounts.directory, 'upper/file')));
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

  it('does not keep the process from ending', async () => {
    await using mounts = new AttackerMounts();
    await mounts.run(`mkdir lower upper; sleep infinity | ${server} lower reads &`);
    await mounts.run('mount -t overlay x -o lowerdir=lower:upper upper; echo done');
    const file = `/proc/${mounts.pid}/root${join(mounts.directory, 'upper/file')}`;
    const args = ['--conditions=@ringfence/source', join(import.meta.dirname, 'programs/held-child.ts'), file];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
    assert.deepEqual([stdout, status], ['reading\n', 7]);
  });
});
