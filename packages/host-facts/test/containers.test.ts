import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { ContainerFact, ContextSink } from '@ringfence/host-kit';
import { bootMicros } from '@ringfence/host-kit';
import { kernelSkip } from '@ringfence/testkit/agent';
import { containerOf } from '../src/context/announced.ts';
import { containerByHand } from '../src/context/by-hand.ts';
import { DEFAULT_CAPABILITIES, maskOf } from '../src/context/capabilities.ts';
import { Cgroups } from '../src/context/cgroups.ts';
import { ContainerSource } from '../src/context/containers.ts';
import { matchRuntime } from '../src/context/runtimes.ts';

const ID = 'a1'.repeat(32);
const digest = (byte: string): string => `sha256:${byte.repeat(32)}`;

class Place implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ringfence-containers-'));
  readonly places = { root: this.path, dockerRoots: [] };

  write(name: string, content: unknown): void {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  }

  describe(path: string) {
    const match = matchRuntime(path);
    assert.ok(match);
    return match.runtime.describe(match.id, this.places);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

const spec = (more: object = {}, linux: object = {}): object => ({
  process: { capabilities: { bounding: ['CAP_CHOWN', 'CAP_KILL'], effective: ['CAP_CHOWN'] } },
  annotations: {},
  linux: { maskedPaths: ['/proc/kcore'], ...linux },
  ...more,
});

describe('what a container is made of', () => {
  it('is read from Docker: digests, capabilities, mounts, namespaces and start', () => {
    using place = new Place();
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
    it(`Docker's capabilities are worked out as the engine does: add ${add}, drop ${drop}`, () => {
      using place = new Place();
      const directory = `var/lib/docker/containers/${ID}`;
      place.write(`${directory}/config.v2.json`, { Config: {} });
      place.write(`${directory}/hostconfig.json`, { Privileged: false, CapAdd: add, CapDrop: drop });
      const mask = place.describe(`/docker/${ID}`)?.capabilities ?? -1n;
      if (add?.[0] === 'ALL') assert.equal(mask & expected, 0n);
      else assert.equal(mask, expected);
      assert.equal(mask === -1n, false);
    });
  }

  it('is read from an OCI specification, the pod and whose token it has', () => {
    using place = new Place();
    const claims = { 'kubernetes.io': { serviceaccount: { name: 'till', uid: 'u' }, namespace: 'shop' } };
    const token = ['e30', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'signature'].join('.');
    place.write('var/lib/kubelet/pods/p1/volumes/token/token', token);
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
        source: '/var/lib/kubelet/pods/p1/volumes/token',
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
    place.write('var/lib/kubelet/pods/p1/volumes/token/token', 'no token');
    assert.equal(place.describe(`/kubepods/pod1/${ID}`)?.serviceAccount, '');
  });

  it("has the host's namespaces where its specification names them by a process: of the host's first, or of a pod that shares them", () => {
    using place = new Place();
    symlinkSync('/proc', join(place.path, 'proc'));
    const other = spawn('unshare', ['--ipc', 'sleep', '60'], { stdio: 'ignore' });
    try {
      const ipc = (pid: number | undefined): number => statSync(`/proc/${pid}/ns/ipc`).ino;
      while (ipc(other.pid) === ipc(process.pid)) execFileSync('sleep', ['0.01']);
      const namespaces = [
        { type: 'pid', path: `/proc/${process.pid}/ns/pid` },
        { type: 'network', path: `/proc/${process.pid}/ns/net` },
        { type: 'uts', path: '/proc/1/ns/uts' },
        { type: 'ipc', path: `/proc/${other.pid}/ns/ipc` },
        { type: 'mount', path: '/proc/4194304/ns/mnt' },
      ];
      place.write(`run/containerd/io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`, spec({}, { namespaces }));
      const told = ['pid=host', 'network=host', 'ipc=shared', 'uts=host', 'mount=shared'];
      assert.deepEqual(place.describe(`/kubepods/pod1/${ID}`)?.namespaces, told);
    } finally {
      other.kill();
    }
  });

  it("has the pod's labels and the image's digest from CRI-O and its store", () => {
    using place = new Place();
    const labels = { app: 'shop', 'helm.sh/chart': 'c'.repeat(500) };
    const others = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`a${index}`, '']));
    const annotations = {
      ...others,
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

describe('containers that were run by hand', () => {
  it('are known by the state of runc and crun, if their cgroup is the one that the state names', () => {
    using place = new Place();
    place.write('bundle/config.json', spec({ annotations: { 'org.opencontainers.image.ref.name': 'x:1' } }));
    const created = '2026-11-26T00:00:01Z';
    place.write('run/runc/job/state.json', {
      cgroup_paths: { '': '/sys/fs/cgroup/unified/jobs/job', memory: '/sys/fs/cgroup/memory/elsewhere' },
      created,
      config: { labels: ['bundle=/bundle'] },
    });
    place.write('run/crun/other/status', { 'cgroup-path': '/other', bundle: '/bundle', created });
    const { id, runtime, image, startedAt } = containerByHand('/jobs/job/inner', place.places) ?? {};
    assert.deepEqual([id, runtime, image, startedAt], ['job', 'runc', 'x:1', Date.parse(created) * 1000]);
    assert.equal(containerByHand('/other', place.places)?.runtime, 'crun');
    assert.equal(containerByHand('/job', place.places), null, 'somebody else called a cgroup like it');
    assert.equal(containerByHand('/../..', place.places), null);
  });

  it('are known by the bundle that containerd has made for `ctr run`, in whichever of its namespaces', () => {
    using place = new Place();
    const bundle = 'run/containerd/io.containerd.runtime.v2.task/mine/web/config.json';
    place.write(bundle, spec({}, { cgroupsPath: '/mine/web' }));
    assert.deepEqual(
      [containerByHand('/mine/web', place.places)?.runtime, containerByHand('/yours/web', place.places)],
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
    it(`"${command}" announces ${expected ?? 'none'}`, () => {
      const found = containerOf(command.split(' '), '/cwd');
      assert.equal(found === null ? null : `${found.id} ${found.bundle}`, expected);
    });
  }
});

describe('a container whose runtime is late', { skip: kernelSkip() }, () => {
  /** A cgroup, and a source that is told of it. */
  class Late implements Disposable {
    readonly place = new Place();
    readonly facts: ContainerFact[] = [];
    readonly #cgroup: string;
    readonly #id: bigint;
    readonly source: ContainerSource;

    constructor(name: string) {
      using cgroups = new Cgroups();
      this.#cgroup = join(cgroups.mount ?? '', name);
      mkdirSync(this.#cgroup);
      this.#id = statSync(this.#cgroup, { bigint: true }).ino;
      const made = { path: `/${name}`, ktime: bootMicros() };
      this.source = new ContainerSource({
        fileDirectories: [],
        onUnsafe: assert.fail,
        places: this.place.places,
        made: (id) => (id === this.#id ? made : null),
      });
      const ignore = (): void => undefined;
      const sink: ContextSink = {
        container: (fact) => this.facts.push(fact),
        user: ignore,
        mount: ignore,
        host: ignore,
        finding: ignore,
        throttled: ignore,
      };
      this.source.start(sink);
    }

    /** An event of the cgroup, now. */
    event(ktime = bootMicros(), exec = false): void {
      this.source.seen(Number(this.#id & 0xffff_ffffn), Number(this.#id >> 32n), ktime, exec);
    }

    remove(): void {
      rmdirSync(this.#cgroup);
    }

    [Symbol.dispose](): void {
      this.source.close();
      this.place[Symbol.dispose]();
      if (existsSync(this.#cgroup)) rmdirSync(this.#cgroup);
    }
  }

  it('is a container without a description first, which says so, and has one by the next event after it was written', () => {
    using late = new Late(`docker-${ID}.scope`);
    late.event();
    const before = bootMicros();
    late.place.write(`var/lib/docker/containers/${ID}/config.v2.json`, { Name: '/web', Config: { Image: 'x:1' } });
    late.event(before - 1000);
    late.event(bootMicros() + 1000);
    late.event(bootMicros() + 2000);
    assert.deepEqual(
      late.facts.map(({ id, name, described }) => [id, name, described]),
      [
        [ID, '', false],
        [ID, 'web', true],
      ],
    );
    assert.ok((late.facts[0]?.startedAt ?? 0) > 0, 'when its cgroup was made');
  });

  it('is nothing at first when only runc knows it, and a container once runc has written so', () => {
    const name = `rf-late-${process.pid}`;
    using late = new Late(name);
    const before = bootMicros();
    late.event();
    assert.deepEqual(late.facts, []);
    late.place.write(`run/runc/${name}/state.json`, { cgroup_paths: { '': `/sys/fs/cgroup/${name}` } });
    late.event(before + 99_000);
    assert.deepEqual(late.facts, [], 'the runtime is still at work: nothing is asked');
    late.event(bootMicros() + 1000, true);
    assert.deepEqual(
      late.facts.map(({ id, runtime }) => [id, runtime]),
      [[name, 'runc']],
    );
  });

  it('is asked about again after a while when nothing is executed in it', () => {
    const name = `rf-quiet-${process.pid}`;
    using late = new Late(name);
    late.event();
    late.place.write(`run/runc/${name}/state.json`, { cgroup_paths: { '': `/sys/fs/cgroup/${name}` } });
    late.event(bootMicros() + 200_000);
    assert.deepEqual(
      late.facts.map(({ id }) => id),
      [name],
    );
  });

  it('is known after its cgroup has gone, from where the sensor saw it made', () => {
    using late = new Late(`docker-${ID}.scope`);
    late.place.write(`var/lib/docker/containers/${ID}/config.v2.json`, { Name: '/web', Config: {} });
    late.remove();
    late.event();
    assert.deepEqual(
      late.facts.map(({ name }) => name),
      ['web'],
    );
  });
});
