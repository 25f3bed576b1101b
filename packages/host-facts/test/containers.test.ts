import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseCreation } from '../src/containers/container-creations.ts';
import { findUnmanagedContainer } from '../src/containers/unmanaged.ts';
import { DEFAULT_CAPABILITIES, maskOf } from '../src/runtimes/capabilities.ts';
import { ID, RuntimeFiles } from './runtime-files.ts';

const digest = (byte: string): string => `sha256:${byte.repeat(32)}`;

const spec = (more: object = {}, linux: object = {}): object => ({
  process: { capabilities: { bounding: ['CAP_CHOWN', 'CAP_KILL'], effective: ['CAP_CHOWN'] } },
  annotations: {},
  linux: { maskedPaths: ['/proc/kcore'], ...linux },
  ...more,
});

describe("a container's properties", () => {
  it('are read from Docker: digests, capabilities, mounts, namespaces and start', () => {
    using place = new RuntimeFiles();
    const directory = `var/lib/docker/containers/${ID}`;
    place.write(`${directory}/config.v2.json`, {
      Name: '/web-1',
      Image: digest('ab'),
      Driver: 'overlay2',
      Config: { Image: 'registry/shop:2' },
      State: { StartedAt: '0001-01-01T00:00:00Z' },
      Created: '2026-11-26T00:00:01.5Z',
      MountPoints: { '/data': { Source: '/srv', Destination: '/data', RW: false }, '/x': 'odd' },
    });
    const host = { Privileged: false, CapAdd: ['net_admin'], CapDrop: ['CAP_NET_RAW'] };
    place.write(`${directory}/hostconfig.json`, { ...host, PidMode: 'host', NetworkMode: 'container:c0ffee' });
    place.write('var/lib/docker/image/overlay2/repositories.json', {
      Repositories: {
        'registry/shop': {
          'registry/shop:2': digest('ab'),
          [`registry/shop@${digest('cd')}`]: digest('ab'),
          [`registry/shop@${digest('ee')}`]: digest('ff'),
        },
      },
    });
    const found = place.describe(`/docker/${ID}`);
    assert.deepEqual(
      { ...found },
      {
        ...found,
        imageId: digest('ab'),
        imageDigests: [digest('cd')],
        capabilities: (DEFAULT_CAPABILITIES & ~maskOf(['NET_RAW'])) | maskOf(['NET_ADMIN']),
        mounts: [{ source: '/srv', destination: '/data', readonly: true }],
        namespaces: ['pid=host', 'network=shared'],
        startedAt: Date.parse('2026-11-26T00:00:01.5Z') * 1000,
      },
    );
  });

  for (const [add, drop, expected] of [
    [null, ['ALL'], 0n],
    [['ALL'], ['SYS_ADMIN'], maskOf(['SYS_ADMIN'])],
    [['CHOWN'], ['all'], maskOf(['CHOWN'])],
    [null, null, DEFAULT_CAPABILITIES],
  ] as const) {
    it(`Docker's capabilities are computed like the engine does: add ${add}, drop ${drop}`, () => {
      using place = new RuntimeFiles();
      const directory = `var/lib/docker/containers/${ID}`;
      place.write(`${directory}/config.v2.json`, { Config: {} });
      place.write(`${directory}/hostconfig.json`, { Privileged: false, CapAdd: add, CapDrop: drop });
      const mask = place.describe(`/docker/${ID}`)?.capabilities ?? -1n;
      if (add?.[0] === 'ALL') assert.equal(mask & expected, 0n);
      else assert.equal(mask, expected);
      assert.equal(mask === -1n, false);
    });
  }

  it('are read from an OCI specification, with pod and service account', () => {
    using place = new RuntimeFiles();
    const claims = { 'kubernetes.io': { serviceaccount: { name: 'till', uid: 'u' }, namespace: 'shop' } };
    const token = ['e30', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'signature'].join('.');
    place.write('var/lib/kubelet/pods/p1/volumes/kubernetes.io~projected/token/token', token);
    const annotations = {
      'io.kubernetes.cri.sandbox-name': 'web-0',
      'io.kubernetes.cri.sandbox-namespace': 'shop',
      'io.kubernetes.cri.sandbox-uid': 'p1',
      'io.kubernetes.cri.image-name': `registry/shop@${digest('cd')}`,
    };
    const mounts = [
      { destination: '/proc', type: 'proc', source: 'proc' },
      {
        destination: '/var/run/secrets/kubernetes.io/serviceaccount',
        source: '/var/lib/kubelet/pods/p1/volumes/kubernetes.io~projected/token',
        options: ['rbind', 'ro'],
      },
    ];
    const namespaces = [
      { type: 'pid', path: '/proc/7/ns/pid' },
      { type: 'mount' },
      { type: 'network', path: '/n' },
      { type: 'ipc' },
    ];
    const bundle = `run/containerd/io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`;
    place.write(bundle, spec({ annotations, mounts }, { namespaces }));
    const found = place.describe(`/kubepods/pod1/${ID}`);
    assert.deepEqual(
      { ...found },
      {
        ...found,
        capabilities: maskOf(['CHOWN', 'KILL']),
        imageDigests: [digest('cd')],
        mounts: [{ source: mounts[1]?.source, destination: mounts[1]?.destination, readonly: true }],
        namespaces: ['pid=shared', 'uts=host'],
        pod: 'web-0',
        podUid: 'p1',
        namespace: 'shop',
        serviceAccount: 'till',
      },
    );
    place.write('var/lib/kubelet/pods/p1/volumes/kubernetes.io~projected/token/token', 'no token');
    assert.equal(place.describe(`/kubepods/pod1/${ID}`)?.serviceAccount, '');
  });

  it("include the host's namespaces that a specification names by a process: by the host's pid 1, or by a pod that shares them", () => {
    using place = new RuntimeFiles();
    symlinkSync('/proc', join(place.path, 'proc'));
    const child = spawn('unshare', ['--ipc', 'sleep', '60'], { stdio: 'ignore' });
    try {
      const ipc = (pid: number | undefined): number => statSync(`/proc/${pid}/ns/ipc`).ino;
      while (ipc(child.pid) === ipc(process.pid)) execFileSync('sleep', ['0.01']);
      const namespaces = [
        { type: 'pid', path: `/proc/${process.pid}/ns/pid` },
        { type: 'network', path: `/proc/${process.pid}/ns/net` },
        { type: 'uts', path: '/proc/1/ns/uts' },
        { type: 'ipc', path: `/proc/${child.pid}/ns/ipc` },
        { type: 'mount', path: '/proc/4194304/ns/mnt' },
      ];
      place.write(`run/containerd/io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`, spec({}, { namespaces }));
      const expected = ['pid=host', 'network=host', 'ipc=shared', 'uts=host', 'mount=shared'];
      assert.deepEqual(place.describe(`/kubepods/pod1/${ID}`)?.namespaces, expected);
    } finally {
      child.kill();
    }
  });

  it("include the pod's labels and the image's digest from CRI-O and its storage", () => {
    using place = new RuntimeFiles();
    const labels = { app: 'shop', 'helm.sh/chart': 'c'.repeat(500) };
    const filler = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`a${index}`, '']));
    const annotations = {
      ...filler,
      'io.kubernetes.cri-o.Labels': JSON.stringify(labels),
      'io.kubernetes.pod.name': 'web-0',
    };
    place.write(`run/containers/storage/overlay-containers/${ID}/userdata/config.json`, spec({ annotations }));
    const entry = {
      id: ID,
      image: 'cc'.repeat(32),
      created: '2026-11-26T00:00:01Z',
      metadata: '{"image-name":"q/app:2"}',
    };
    place.write('var/lib/containers/storage/overlay-containers/containers.json', [entry]);
    place.write('var/lib/containers/storage/overlay-images/images.json', [{ id: entry.image, digest: digest('dd') }]);
    const found = place.describe(`/kubepods.slice/crio-${ID}.scope`);
    assert.deepEqual(
      [found?.podLabels, found?.pod, found?.image, found?.imageId, found?.imageDigests, found?.startedAt],
      [labels, 'web-0', 'q/app:2', digest('cc'), [digest('dd')], Date.parse(entry.created) * 1000],
    );
  });
});

describe('containers without an engine', () => {
  it('are found by the state of runc and crun, if the state names their cgroup', () => {
    using place = new RuntimeFiles();
    place.write('bundle/config.json', spec({ annotations: { 'org.opencontainers.image.ref.name': 'x:1' } }));
    const created = '2026-11-26T00:00:01Z';
    place.write('run/runc/job/state.json', {
      cgroup_paths: { '': '/sys/fs/cgroup/unified/jobs/job', memory: '/sys/fs/cgroup/memory/elsewhere' },
      created,
      config: { labels: ['bundle=/bundle'] },
    });
    place.write('run/crun/other/status', { 'cgroup-path': '/other', bundle: '/bundle', created });
    const { id, runtime, image, startedAt } = findUnmanagedContainer('/jobs/job/inner', place.roots) ?? {};
    assert.deepEqual([id, runtime, image, startedAt], ['job', 'runc', 'x:1', Date.parse(created) * 1000]);
    assert.equal(findUnmanagedContainer('/other', place.roots)?.runtime, 'crun');
    assert.equal(findUnmanagedContainer('/job', place.roots), null, "another cgroup with the container's name");
    assert.equal(findUnmanagedContainer('/../..', place.roots), null);
  });

  it("are found by the bundle of `ctr run`, in any of containerd's namespaces", () => {
    using place = new RuntimeFiles();
    const bundle = 'run/containerd/io.containerd.runtime.v2.task/mine/web/config.json';
    place.write(bundle, spec({}, { cgroupsPath: '/mine/web' }));
    assert.deepEqual(
      [findUnmanagedContainer('/mine/web', place.roots)?.runtime, findUnmanagedContainer('/yours/web', place.roots)],
      ['containerd', null],
    );
  });

  const commands: readonly [command: string, expected: string | null][] = [
    ['runc run job', 'job /cwd'],
    ['runc --root /r --log l create --bundle /b --pid-file p job', 'job /b'],
    ['crun run -b sub job', 'job /cwd/sub'],
    ['runc run --bundle=/b job', 'job /b'],
    ['runc run --help', null],
    ['runc run', null],
    ['runc exec job sh', null],
    ['runc delete job', null],
    ['runc run ../x', null],
  ];
  for (const [command, expected] of commands) {
    it(`"${command}" creates ${expected ?? 'no container'}`, () => {
      const found = parseCreation(command.split(' '), '/cwd');
      assert.equal(found === null ? null : `${found.id} ${found.bundle}`, expected);
    });
  }
});
