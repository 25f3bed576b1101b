import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ContextSink, type HostFact, kernelDevice, type MountFact } from '@ringfence/host-kit';
import { hostFact } from '../src/host/host.ts';
import { mountsSource, parseMount } from '../src/host/mounts.ts';
import { parseUsers, usersSource } from '../src/host/users.ts';

class TestDirectory implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ringfence-host-'));

  write(name: string, content: unknown): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

class Recorder implements ContextSink {
  readonly users: [number, string][] = [];
  readonly mounts: MountFact[] = [];
  user(uid: number, name: string): void {
    this.users.push([uid, name]);
  }
  mount(mount: MountFact): void {
    this.mounts.push(mount);
  }
  container(): void {}
  finding(): void {}
  throttled(): void {}
  readonly hosts: HostFact[] = [];
  host(host: HostFact): void {
    this.hosts.push(host);
  }
}

const CHANGES = fileURLToPath(new URL('./programs/changes-child.ts', import.meta.url));

const unshareSkip =
  spawnSync('unshare', ['-mnu', 'true']).status === 0 ? false : "unshare can't create these namespaces";

/**
 * Returns the facts that a source emits in new namespaces while the commands run there, with a tick after each command.
 */
function factsOf(
  source: 'host' | 'mounts',
  commands: readonly string[],
): { hostname?: string; addresses?: string[]; source?: string; point?: string; filesystem?: string }[] {
  const child = [process.execPath, ...process.execArgv.filter((flag) => flag.startsWith('--conditions')), CHANGES];
  const args = ['--mount', '--net', '--uts', ...child, source, ...commands];
  const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

const distinct = (facts: readonly unknown[]): unknown[] =>
  facts.filter((fact, i) => JSON.stringify(fact) !== JSON.stringify(facts[i - 1]));

describe('the host source', () => {
  it('emits the host at the start, and again when its name or an address changes', { skip: unshareSkip }, () => {
    const hosts = factsOf('host', [
      'ip addr add 198.51.100.7/24 dev ringfence0',
      'hostname ringfence-other',
      'true',
    ]).map(({ hostname, addresses }) => [hostname, addresses?.filter((address) => !address.startsWith('fe80:'))]);
    const [[name]] = hosts as [[string]];
    assert.deepEqual(distinct(hosts), [
      [name, []],
      [name, ['198.51.100.7']],
      ['ringfence-other', ['198.51.100.7']],
    ]);
  });

  it('ignores an invalid machine id, and loopback addresses', () => {
    using place = new TestDirectory();
    const path = place.write('etc/machine-id', 'uninitialized\n');
    const root = dirname(dirname(path));
    assert.equal(hostFact(root).machineId, '');
    writeFileSync(path, `${'ab'.repeat(16)}\n`);
    assert.equal(hostFact(root).machineId, 'ab'.repeat(16));
    for (const address of hostFact(root).addresses) assert.ok(!address.startsWith('127.') && address !== '::1');
  });
});

describe('the users source', () => {
  it('emits users at the start, and changed ones when the file changes', () => {
    using place = new TestDirectory();
    const path = place.write('passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:\n');
    const source = usersSource(path);
    const sink = new Recorder();
    source.start(sink);
    source.tick();
    assert.deepEqual(sink.users, [
      [0, 'root'],
      [65534, 'nobody'],
    ]);
    writeFileSync(`${path}.new`, 'root:x:0:0:root:/root:/bin/sh\neve:x:1000:1000::/:\n');
    renameSync(`${path}.new`, path);
    source.tick();
    assert.deepEqual(sink.users.slice(2), [[1000, 'eve']]);
  });

  it('uses the first name of a uid, and skips malformed lines', () => {
    const users = parseUsers(
      Buffer.from(
        'root:x:0:0\ntoor:x:0:0\n:x:1:1\nbad:x:-1:1\nhuge:x:99999999999:1\nbig:x:4294967295:0\nno colon\n\xff\xfe:x:7:7\n',
        'latin1',
      ),
    );
    assert.deepEqual([...users.keys()], [0, 4294967295, 7]);
    assert.equal(users.get(0), 'root');
  });
});

describe('the mounts source', () => {
  it("parses the kernel's list of mounts and its escape sequences", () => {
    const mount = parseMount(
      '36 35 253:300 /a\\040b /mnt\\134x rw,noatime shared:1 - ext4 /dev/ro\\011ot rw,errors=continue',
      42,
    );
    assert.deepEqual(mount, {
      mountNamespace: 42,
      device: (253 << 20) | 300,
      root: Buffer.from('/a b'),
      point: Buffer.from('/mnt\\x'),
      filesystem: 'ext4',
      source: Buffer.from('/dev/ro\tot'),
      options: 'rw,noatime',
    });
    for (const line of ['', 'x', '1 2 3', '1 2 a:b / / rw - ext4 x', '1 2 0:1 / /'])
      assert.equal(parseMount(line, 1), null);
  });

  it('emits new mounts when the list changes', { skip: unshareSkip }, () => {
    const points = factsOf('mounts', ['true', 'mount -t tmpfs ringfence-test /mnt', 'true', 'umount /mnt']);
    assert.deepEqual(
      points.filter(({ source }) => source === 'ringfence-test').map(({ point, filesystem }) => [point, filesystem]),
      [['/mnt', 'tmpfs']],
    );
  });

  it('emits the mounts of this machine once, with the devices that stat returns', () => {
    const source = mountsSource();
    const sink = new Recorder();
    source.start(sink);
    const count = sink.mounts.length;
    source.tick();
    assert.ok(count > 0);
    assert.equal(sink.mounts.length, count);
    const proc = sink.mounts.find(({ point }) => point.toString() === '/proc');
    assert.equal(proc?.device, kernelDevice(statSync('/proc/self', { bigint: true }).dev));
    assert.equal(proc?.filesystem, 'proc');
  });
});
