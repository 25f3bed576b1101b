import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { HostFact, MountFact } from '@ringfence/host-kit';
import { type ContextSink, guardSource, kernelDevice } from '@ringfence/host-kit';
import { ALL_CAPABILITIES } from '../src/context/capabilities.ts';
import { Cgroups } from '../src/context/cgroups.ts';
import { ContainerFiles, parseContainer } from '../src/context/container-files.ts';
import { NOTHING } from '../src/context/description.ts';
import { hostFact } from '../src/context/host.ts';
import { mountsSource, parseMount } from '../src/context/mounts.ts';
import { matchRuntime } from '../src/context/runtimes.ts';
import { parseUsers, usersSource } from '../src/context/users.ts';

class Place implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ringfence-context-'));

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

const ID = 'a1'.repeat(32);

const CHANGES = fileURLToPath(new URL('./programs/changes-child.ts', import.meta.url));

const unshareSkip = spawnSync('unshare', ['-mnu', 'true']).status === 0 ? false : 'no new namespaces here';

/** What a source tells in namespaces of its own, while the commands are run there, with a tick after each. */
function told(
  source: 'host' | 'mounts',
  commands: readonly string[],
): { hostname?: string; addresses?: string[]; source?: string; point?: string; filesystem?: string }[] {
  const child = [process.execPath, ...process.execArgv.filter((flag) => flag.startsWith('--conditions')), CHANGES];
  const all = ['--mount', '--net', '--uts', ...child, source, ...commands];
  const { status, stdout, stderr } = spawnSync('unshare', all, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

const distinct = (all: readonly unknown[]): unknown[] =>
  all.filter((one, i) => JSON.stringify(one) !== JSON.stringify(all[i - 1]));

describe('the host', () => {
  it('is told at the start, and again when it has another name or address', { skip: unshareSkip }, () => {
    const hosts = told('host', ['ip addr add 198.51.100.7/24 dev ringfence0', 'hostname ringfence-other', 'true']).map(
      ({ hostname, addresses }) => [hostname, addresses?.filter((address) => !address.startsWith('fe80:'))],
    );
    const [[name]] = hosts as [[string]];
    assert.deepEqual(distinct(hosts), [
      [name, []],
      [name, ['198.51.100.7']],
      ['ringfence-other', ['198.51.100.7']],
    ]);
  });

  it('has no machine id when its file is not as systemd writes it, and no loopback address', () => {
    using place = new Place();
    const path = place.write('etc/machine-id', 'uninitialized\n');
    const root = dirname(dirname(path));
    assert.equal(hostFact(root).machineId, '');
    writeFileSync(path, `${'ab'.repeat(16)}\n`);
    assert.equal(hostFact(root).machineId, 'ab'.repeat(16));
    for (const address of hostFact(root).addresses) assert.ok(!address.startsWith('127.') && address !== '::1');
  });
});

describe('users', () => {
  it('are told at the start, and again when the file has changed', () => {
    using place = new Place();
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

  it('stand a file of noise: the first name of an uid counts, nonsense is passed over', () => {
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

describe('mounts', () => {
  it('are read as the kernel lists them, escapes undone', () => {
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

  it('are told again when there are others', { skip: unshareSkip }, () => {
    const points = told('mounts', ['true', 'mount -t tmpfs ringfence-test /mnt', 'true', 'umount /mnt']);
    assert.deepEqual(
      points.filter(({ source }) => source === 'ringfence-test').map(({ point, filesystem }) => [point, filesystem]),
      [['/mnt', 'tmpfs']],
    );
  });

  it('of this machine are told once, with the devices that stat tells', () => {
    const source = mountsSource();
    const sink = new Recorder();
    source.start(sink);
    const all = sink.mounts.length;
    source.tick();
    assert.ok(all > 0);
    assert.equal(sink.mounts.length, all);
    const proc = sink.mounts.find(({ point }) => point.toString() === '/proc');
    assert.equal(proc?.device, kernelDevice(statSync('/proc/self', { bigint: true }).dev));
    assert.equal(proc?.filesystem, 'proc');
  });
});

describe('cgroup paths', () => {
  const cases: readonly { path: string; runtime: string | null; id?: string }[] = [
    { path: `/system.slice/docker-${ID}.scope`, runtime: 'docker', id: ID },
    { path: `/docker/${ID}`, runtime: 'docker', id: ID },
    { path: `/docker/${ID}/init.scope`, runtime: 'docker', id: ID },
    { path: `/kubepods.slice/kubepods-pod1.slice/cri-containerd-${ID}.scope`, runtime: 'containerd', id: ID },
    { path: `/kubepods/besteffort/pod1/${ID}`, runtime: 'kubernetes', id: ID },
    { path: `/kubepods.slice/pod1.slice/crio-${ID}.scope`, runtime: 'cri-o', id: ID },
    { path: `/machine.slice/libpod-${ID}.scope/container`, runtime: 'podman', id: ID },
    { path: `/machine.slice/libpod-conmon-${ID}.scope`, runtime: null },
    { path: '/lxc.payload.web/init.scope', runtime: 'lxc', id: 'web' },
    { path: '/lxc/web', runtime: 'lxc', id: 'web' },
    { path: '/ringfence-demo-1/x', runtime: 'sandbox', id: 'ringfence-demo-1' },
    { path: '/system.slice/ssh.service', runtime: null },
    { path: '/user.slice/user-0.slice/session-1.scope', runtime: null },
    { path: '/', runtime: null },
  ];
  for (const { path, runtime, id } of cases) {
    it(`${path} is ${runtime === null ? 'no container' : `of ${runtime}`}`, () => {
      const match = matchRuntime(path);
      assert.equal(match?.runtime.name ?? null, runtime);
      assert.equal(match?.id, id);
    });
  }

  it('are found by id, and not when there is none', () => {
    using cgroups = new Cgroups();
    if (cgroups.mount === null) return;
    assert.equal(cgroups.pathOf(statSync(cgroups.mount, { bigint: true }).ino), '/');
    assert.equal(cgroups.pathOf(2n ** 40n), null);
  });
});

describe('what runtimes write about their containers', () => {
  const describeWith = (path: string, root: string) => {
    const match = matchRuntime(path);
    assert.ok(match);
    return match.runtime.describe(match.id, { root, dockerRoots: [] });
  };

  it('is read from Docker', () => {
    using place = new Place();
    const directory = `var/lib/docker/containers/${ID}`;
    place.write(`${directory}/config.v2.json`, {
      Name: '/web-1',
      Config: { Image: 'nginx:1.27', Labels: { tier: 'web', n: 1 } },
    });
    place.write(`${directory}/hostconfig.json`, { Privileged: true });
    const expected = { name: 'web-1', image: 'nginx:1.27', privileged: true, labels: { tier: 'web' } };
    const capabilities = ALL_CAPABILITIES;
    assert.deepEqual(describeWith(`/docker/${ID}`, place.path), { ...NOTHING, ...expected, capabilities });
  });

  it('is read from Docker wherever its data is, as settings or its own say', () => {
    using place = new Place();
    const names = (dockerRoots: string[]) =>
      matchRuntime(`/docker/${ID}`)?.runtime.describe(ID, { root: place.path, dockerRoots })?.name;
    for (const [dataRoot, name] of [
      ['mnt/big', 'told'],
      ['srv/docker', 'configured'],
    ] as const)
      place.write(`${dataRoot}/containers/${ID}/config.v2.json`, { Name: `/${name}`, Config: {} });
    assert.equal(names([]), undefined);
    place.write('etc/docker/daemon.json', { 'data-root': '/srv/docker' });
    assert.equal(names([]), 'configured');
    assert.equal(names(['/nowhere', '/mnt/big']), 'told');
  });

  it('is read from containerd and Kubernetes', () => {
    using place = new Place();
    const annotations = { 'io.kubernetes.cri.container-name': 'app', 'io.kubernetes.cri.image-name': 'registry/app:2' };
    const spec = {
      process: { capabilities: { effective: ['CAP_CHOWN'] } },
      linux: { maskedPaths: ['/proc/kcore'] },
      annotations,
    };
    place.write(`run/containerd/io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`, spec);
    const said = { name: 'app', image: 'registry/app:2', privileged: false, labels: annotations };
    const expected = { ...NOTHING, ...said, capabilities: 1n };
    assert.deepEqual(describeWith(`/kubepods.slice/cri-containerd-${ID}.scope`, place.path), expected);
    assert.deepEqual(describeWith(`/kubepods/pod1/${ID}`, place.path), expected);
  });

  it('is read from Podman', () => {
    using place = new Place();
    const metadata = JSON.stringify({ 'image-name': 'quay.io/x:3', name: 'pod-1' });
    place.write('var/lib/containers/storage/overlay-containers/containers.json', [
      { id: ID, names: ['pod-1'], metadata },
    ]);
    const spec = { process: { capabilities: { effective: ['CAP_SYS_ADMIN'] } }, linux: {} };
    place.write(`var/lib/containers/storage/overlay-containers/${ID}/userdata/config.json`, spec);
    const said = { name: 'pod-1', image: 'quay.io/x:3', privileged: true, labels: {} };
    const expected = { ...NOTHING, ...said, capabilities: 1n << 21n };
    assert.deepEqual(describeWith(`/machine.slice/libpod-${ID}.scope`, place.path), expected);
  });

  it('is read from CRI-O', () => {
    using place = new Place();
    const annotations = {
      'io.kubernetes.cri-o.ContainerName': 'app',
      'io.kubernetes.cri-o.ImageName': 'quay.io/app:2',
    };
    const spec = { process: { capabilities: { effective: [] } }, linux: { maskedPaths: ['/proc/kcore'] }, annotations };
    place.write(`run/containers/storage/overlay-containers/${ID}/userdata/config.json`, spec);
    const said = { name: 'app', image: 'quay.io/app:2', privileged: false, labels: annotations };
    const expected = { ...NOTHING, ...said, capabilities: 0n };
    assert.deepEqual(describeWith(`/kubepods.slice/pod1.slice/crio-${ID}.scope`, place.path), expected);
  });

  it('is nothing when the files are not there, or are not what they should be', () => {
    using place = new Place();
    assert.equal(describeWith(`/docker/${ID}`, place.path), null);
    place.write(`var/lib/docker/containers/${ID}/config.v2.json`, '{"Config": ');
    assert.equal(describeWith(`/docker/${ID}`, place.path), null);
    place.write(`var/lib/docker/containers/${ID}/config.v2.json`, { Name: 7, Config: [] });
    assert.deepEqual(describeWith(`/docker/${ID}`, place.path), NOTHING);
  });
});

describe('files that announce containers', () => {
  it('are read again when the directory changes; the innermost cgroup counts', () => {
    using place = new Place();
    const files = new ContainerFiles([place.path, `${place.path}-missing`], assert.fail);
    files.refresh();
    assert.equal(files.find('/a/b'), null);
    place.write('outer.json', { cgroupPath: '/a', image: 'outer' });
    place.write('inner.json', { cgroupPath: '/a/b/', id: 'in', image: 'inner', privileged: true });
    place.write('ignored.txt', { cgroupPath: '/' });
    assert.equal(files.refresh(), true);
    assert.equal(files.find('/a/x')?.image, 'outer');
    assert.equal(files.find('/a/x')?.id, 'outer');
    assert.deepEqual([files.find('/a/b/c')?.id, files.find('/a/b')?.privileged], ['in', true]);
    assert.equal(files.find('/ab'), null);
    const past = new Date(Date.now() - 60_000);
    utimesSync(place.path, past, past);
    assert.equal(files.refresh(), true);
    assert.equal(files.refresh(), false);
  });

  it('are not read from a directory that others can write to', () => {
    using place = new Place();
    place.write('x.json', { cgroupPath: '/a' });
    chmodSync(place.path, 0o777);
    const warned: string[] = [];
    const files = new ContainerFiles([place.path], (directory) => warned.push(directory));
    files.refresh();
    files.refresh();
    assert.equal(files.find('/a'), null);
    assert.deepEqual(warned, [place.path]);
  });

  it('stand nonsense', () => {
    for (const json of [null, 1, 'x', [], {}, { cgroupPath: 5 }, { cgroupPath: 'relative' }])
      assert.equal(parseContainer(json, 'a.json'), null);
    const odd = parseContainer(
      { cgroupPath: '/x', id: 5, image: 'i'.repeat(10_000), labels: ['a'], privileged: 'yes' },
      'a.json',
    );
    assert.deepEqual([odd?.id, odd?.image.length, odd?.labels, odd?.privileged], ['a', 1024, {}, null]);
  });
});

describe('a source that fails', () => {
  it('is told once, and keeps nobody else from going on', () => {
    const errors: string[] = [];
    const broken = {
      name: 'broken',
      start: () => undefined,
      tick: () => {
        throw new Error('no');
      },
      close: () => undefined,
    };
    const source = guardSource(broken, (name, error) => errors.push(`${name}: ${error.message}`));
    source.tick();
    source.tick();
    assert.deepEqual(errors, ['broken: no']);
  });
});
