import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { Cgroups } from '../src/containers/cgroups.ts';
import { ContainerFiles, parseContainer } from '../src/containers/container-files.ts';
import { ALL_CAPABILITIES } from '../src/runtimes/capabilities.ts';
import { EMPTY_DESCRIPTION } from '../src/runtimes/description.ts';
import { matchRuntime } from '../src/runtimes/runtimes.ts';

class TestDirectory implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ringfence-runtimes-'));

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

const ID = 'a1'.repeat(32);

describe('matching cgroup paths', () => {
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
    { path: '/ringfence-demo-1/x', runtime: null },
    { path: '/system.slice/ssh.service', runtime: null },
    { path: '/user.slice/user-0.slice/session-1.scope', runtime: null },
    { path: '/', runtime: null },
  ];
  for (const { path, runtime, id } of cases) {
    it(`${path} belongs to ${runtime === null ? 'no container' : `a container of ${runtime}`}`, () => {
      const match = matchRuntime(path);
      assert.equal(match?.runtime.name ?? null, runtime);
      assert.equal(match?.id, id);
    });
  }

  it('finds the path of a cgroup by its id, and null for an unknown id', () => {
    using cgroups = new Cgroups();
    if (cgroups.mount === null) return;
    assert.equal(cgroups.pathOf(statSync(cgroups.mount, { bigint: true }).ino), '/');
    assert.equal(cgroups.pathOf(2n ** 40n), null);
  });
});

describe("a container's description", () => {
  const describeWith = (path: string, root: string) => {
    const match = matchRuntime(path);
    assert.ok(match);
    return match.runtime.describe(match.id, { root, dockerRoots: [] });
  };

  it("is read from Docker's files", () => {
    using place = new TestDirectory();
    const directory = `var/lib/docker/containers/${ID}`;
    place.write(`${directory}/config.v2.json`, {
      Name: '/web-1',
      Config: { Image: 'nginx:1.27', Labels: { tier: 'web', n: 1 } },
    });
    place.write(`${directory}/hostconfig.json`, { Privileged: true });
    const expected = { name: 'web-1', image: 'nginx:1.27', privileged: true, labels: { tier: 'web' } };
    const capabilities = ALL_CAPABILITIES;
    assert.deepEqual(describeWith(`/docker/${ID}`, place.path), { ...EMPTY_DESCRIPTION, ...expected, capabilities });
  });

  it('is read from any data root of Docker, whether it is configured in Docker or in Ringfence', () => {
    using place = new TestDirectory();
    const names = (dockerRoots: string[]) =>
      matchRuntime(`/docker/${ID}`)?.runtime.describe(ID, { root: place.path, dockerRoots })?.name;
    for (const [dataRoot, name] of [
      ['mnt/big', 'additional'],
      ['srv/docker', 'configured'],
    ] as const)
      place.write(`${dataRoot}/containers/${ID}/config.v2.json`, { Name: `/${name}`, Config: {} });
    assert.equal(names([]), undefined);
    place.write('etc/docker/daemon.json', { 'data-root': '/srv/docker' });
    assert.equal(names([]), 'configured');
    assert.equal(names(['/nowhere', '/mnt/big']), 'additional');
  });

  it('is read from the files of containerd and Kubernetes', () => {
    using place = new TestDirectory();
    const annotations = { 'io.kubernetes.cri.container-name': 'app', 'io.kubernetes.cri.image-name': 'registry/app:2' };
    const spec = {
      process: { capabilities: { effective: ['CAP_CHOWN'] } },
      linux: { maskedPaths: ['/proc/kcore'] },
      annotations,
    };
    place.write(`run/containerd/io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`, spec);
    const described = { name: 'app', image: 'registry/app:2', privileged: false, labels: annotations };
    const expected = { ...EMPTY_DESCRIPTION, ...described, capabilities: 1n };
    assert.deepEqual(describeWith(`/kubepods.slice/cri-containerd-${ID}.scope`, place.path), expected);
    assert.deepEqual(describeWith(`/kubepods/pod1/${ID}`, place.path), expected);
  });

  it("is read from Podman's files", () => {
    using place = new TestDirectory();
    const metadata = JSON.stringify({ 'image-name': 'quay.io/x:3', name: 'pod-1' });
    place.write('var/lib/containers/storage/overlay-containers/containers.json', [
      { id: ID, names: ['pod-1'], metadata },
    ]);
    const spec = { process: { capabilities: { effective: ['CAP_SYS_ADMIN'] } }, linux: {} };
    place.write(`var/lib/containers/storage/overlay-containers/${ID}/userdata/config.json`, spec);
    const described = { name: 'pod-1', image: 'quay.io/x:3', privileged: true, labels: {} };
    const expected = { ...EMPTY_DESCRIPTION, ...described, capabilities: 1n << 21n };
    assert.deepEqual(describeWith(`/machine.slice/libpod-${ID}.scope`, place.path), expected);
  });

  it("is read from CRI-O's files", () => {
    using place = new TestDirectory();
    const annotations = {
      'io.kubernetes.cri-o.ContainerName': 'app',
      'io.kubernetes.cri-o.ImageName': 'quay.io/app:2',
    };
    const spec = { process: { capabilities: { effective: [] } }, linux: { maskedPaths: ['/proc/kcore'] }, annotations };
    place.write(`run/containers/storage/overlay-containers/${ID}/userdata/config.json`, spec);
    const described = { name: 'app', image: 'quay.io/app:2', privileged: false, labels: annotations };
    const expected = { ...EMPTY_DESCRIPTION, ...described, capabilities: 0n };
    assert.deepEqual(describeWith(`/kubepods.slice/pod1.slice/crio-${ID}.scope`, place.path), expected);
  });

  it('is null or empty if the files are missing or malformed', () => {
    using place = new TestDirectory();
    assert.equal(describeWith(`/docker/${ID}`, place.path), null);
    place.write(`var/lib/docker/containers/${ID}/config.v2.json`, '{"Config": ');
    assert.equal(describeWith(`/docker/${ID}`, place.path), null);
    place.write(`var/lib/docker/containers/${ID}/config.v2.json`, { Name: 7, Config: [] });
    assert.deepEqual(describeWith(`/docker/${ID}`, place.path), EMPTY_DESCRIPTION);
  });
});

describe('files that announce containers', () => {
  it('are read again when the directory changes; the innermost cgroup wins', () => {
    using place = new TestDirectory();
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

  it('are not read from a directory that other users can write to', () => {
    using place = new TestDirectory();
    place.write('x.json', { cgroupPath: '/a' });
    chmodSync(place.path, 0o777);
    const warned: string[] = [];
    const files = new ContainerFiles([place.path], (directory) => warned.push(directory));
    files.refresh();
    files.refresh();
    assert.equal(files.find('/a'), null);
    assert.deepEqual(warned, [place.path]);
  });

  it('may contain anything', () => {
    for (const json of [null, 1, 'x', [], {}, { cgroupPath: 5 }, { cgroupPath: 'relative' }])
      assert.equal(parseContainer(json, 'a.json'), null);
    const odd = parseContainer(
      { cgroupPath: '/x', id: 5, image: 'i'.repeat(10_000), labels: ['a'], privileged: 'yes' },
      'a.json',
    );
    assert.deepEqual([odd?.id, odd?.image.length, odd?.labels, odd?.privileged], ['a', 1024, {}, null]);
  });
});
