import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { bootMicros, type ContainerFact, type ContextSink, type Finding } from '@ringfence/host-kit';
import { kernelSkip } from '@ringfence/testkit/agent';
import { Cgroups } from '../src/containers/cgroups.ts';
import { parseCreation } from '../src/containers/container-creations.ts';
import { ContainerSource } from '../src/containers/container-source.ts';
import { findUnmanagedContainer } from '../src/containers/unmanaged.ts';
import { DEFAULT_CAPABILITIES, maskOf } from '../src/runtimes/capabilities.ts';
import { matchRuntime } from '../src/runtimes/runtimes.ts';

const ID = 'a1'.repeat(32);
const digest = (byte: string): string => `sha256:${byte.repeat(32)}`;

class Place implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ringfence-containers-'));
  readonly roots = { root: this.path, dockerRoots: [] };

  write(name: string, content: unknown): void {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  }

  describe(path: string) {
    const match = matchRuntime(path);
    assert.ok(match);
    return match.runtime.describe(match.id, this.roots);
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

describe("a container's properties", () => {
  it('are read from Docker: digests, capabilities, mounts, namespaces and start', () => {
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
    it(`Docker's capabilities are computed like the engine does: add ${add}, drop ${drop}`, () => {
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

  it('are read from an OCI specification, with pod and service account', () => {
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

  it("include the host's namespaces that a specification names by a process: by the host's pid 1, or by a pod that shares them", () => {
    using place = new Place();
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
    using place = new Place();
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
    using place = new Place();
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
    using place = new Place();
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

/** A new cgroup, and a source for it. */
class TestCgroup implements Disposable {
  readonly place = new Place();
  readonly facts: ContainerFact[] = [];
  readonly findings: Finding[] = [];
  /** What the sensor was told: whether the cgroup belongs to a container */
  readonly scopes: boolean[] = [];
  readonly source: ContainerSource;
  readonly #cgroup: string;
  readonly #id: bigint;
  readonly #processes: ChildProcess[] = [];

  /** @param ageMicros age of the cgroup; a source looks a young one up again */
  constructor(name: string, ageMicros = 0) {
    using cgroups = new Cgroups();
    this.#cgroup = join(cgroups.mount ?? '', name);
    mkdirSync(this.#cgroup);
    this.#id = statSync(this.#cgroup, { bigint: true }).ino;
    const creation = { path: `/${name}`, ktime: bootMicros() - ageMicros };
    this.source = new ContainerSource({
      fileDirectories: [],
      onUnsafe: assert.fail,
      roots: this.place.roots,
      creationOf: (id) => (id === this.#id ? creation : null),
      onScope: (_, isContainer) => this.scopes.push(isContainer),
    });
    const ignore = (): void => undefined;
    const sink: ContextSink = {
      container: (fact) => this.facts.push(fact),
      user: ignore,
      mount: ignore,
      host: ignore,
      finding: (finding) => this.findings.push(finding),
      throttled: ignore,
    };
    this.source.start(sink);
  }

  /** Runs a process in the cgroup, with the namespaces of the host unless `unshare` has options. */
  enter(...unshare: string[]): ChildProcess {
    const script = `echo $$ > ${this.#cgroup}/cgroup.procs; exec sleep 600`;
    const [command = '', ...args] = [...(unshare.length > 0 ? ['unshare', ...unshare] : []), '/bin/sh', '-c', script];
    const child = spawn(command, args, { stdio: 'ignore' });
    this.#processes.push(child);
    while (!this.#pids().includes(child.pid ?? 0)) execFileSync('sleep', ['0.01']);
    return child;
  }

  /** Simulates an event of the cgroup. */
  event(ktime = bootMicros(), isExec = false): void {
    this.source.onEvent(Number(this.#id & 0xffff_ffffn), Number(this.#id >> 32n), ktime, isExec);
  }

  describeToDocker(): void {
    this.place.write(`var/lib/docker/containers/${ID}/config.v2.json`, { Name: '/web', Config: { Image: 'x:1' } });
  }

  #pids(): number[] {
    return readFileSync(join(this.#cgroup, 'cgroup.procs'), 'utf8').split('\n').map(Number);
  }

  remove(): void {
    rmdirSync(this.#cgroup);
  }

  [Symbol.dispose](): void {
    this.source.close();
    this.place[Symbol.dispose]();
    for (const child of this.#processes) child.kill('SIGKILL');
    while (existsSync(this.#cgroup))
      try {
        rmdirSync(this.#cgroup);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
        execFileSync('sleep', ['0.01']);
      }
  }
}

describe('a container whose runtime is late', { skip: kernelSkip() }, () => {
  it('has no description at first, and gets it with the next event after the runtime wrote it', () => {
    using late = new TestCgroup(`docker-${ID}.scope`);
    late.enter('--mount');
    late.event();
    const before = bootMicros();
    late.describeToDocker();
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
    assert.ok((late.facts[0]?.startedAt ?? 0) > 0, 'the creation time of its cgroup');
  });

  it('is not recognized until runc has written its state', () => {
    const name = `rf-late-${process.pid}`;
    using late = new TestCgroup(name);
    const before = bootMicros();
    late.event();
    assert.deepEqual(late.facts, []);
    late.place.write(`run/runc/${name}/state.json`, { cgroup_paths: { '': `/sys/fs/cgroup/${name}` } });
    late.event(before + 99_000);
    assert.deepEqual(late.facts, [], 'the runtime is still at work: no lookup');
    late.event(bootMicros() + 1000, true);
    assert.deepEqual(
      late.facts.map(({ id, runtime }) => [id, runtime]),
      [[name, 'runc']],
    );
  });

  it('is looked up again after a while even without an exec', () => {
    const name = `rf-quiet-${process.pid}`;
    using late = new TestCgroup(name);
    late.event();
    late.place.write(`run/runc/${name}/state.json`, { cgroup_paths: { '': `/sys/fs/cgroup/${name}` } });
    late.event(bootMicros() + 200_000);
    assert.deepEqual(
      late.facts.map(({ id }) => id),
      [name],
    );
  });

  it('is known after its cgroup is gone, because the sensor saw its creation', () => {
    using late = new TestCgroup(`docker-${ID}.scope`);
    late.describeToDocker();
    late.remove();
    late.event();
    assert.deepEqual(
      late.facts.map(({ name }) => name),
      ['web'],
    );
  });
});

describe('a cgroup with the name of a container', { skip: kernelSkip() }, () => {
  const OLD = 60_000_000;

  for (const name of [`docker-${ID}.scope`, ID, `libpod-${ID}.scope`, 'lxc.payload.x', 'systemd-nspawn@x.service']) {
    it(`is the host's, with a finding, if its process has the namespaces of the host: ${name}`, () => {
      using cgroup = new TestCgroup(name, OLD);
      cgroup.enter();
      cgroup.event();
      cgroup.event();
      assert.deepEqual([cgroup.facts, cgroup.scopes], [[], [false]]);
      assert.deepEqual(
        cgroup.findings.map(({ check, subject }) => [check, subject]),
        [['container-name', `/${name}`]],
      );
    });
  }

  for (const option of ['--mount', '--user'])
    it(`is a container's without a description if its process has another namespace: ${option}`, () => {
      using cgroup = new TestCgroup(`docker-${ID}.scope`, OLD);
      cgroup.enter(option);
      cgroup.event();
      assert.deepEqual(
        [cgroup.facts.map(({ id, described }) => [id, described]), cgroup.scopes, cgroup.findings],
        [[[ID, false]], [true], []],
      );
    });

  it("is the host's if one of its processes has the namespaces of the host", () => {
    using cgroup = new TestCgroup(`docker-${ID}.scope`, OLD);
    cgroup.enter('--mount');
    cgroup.enter();
    cgroup.event();
    assert.deepEqual([cgroup.facts, cgroup.scopes, cgroup.findings.length], [[], [false], 1]);
  });

  it("is the host's although the id is that of a container that the runtime describes", () => {
    using cgroup = new TestCgroup(`docker-${ID}.scope`, OLD);
    cgroup.describeToDocker();
    cgroup.enter();
    cgroup.event();
    assert.deepEqual([cgroup.facts, cgroup.scopes, cgroup.findings.length], [[], [false], 1]);
  });

  it("stays a container's while a program of the host enters it for a moment, if the runtime describes it", () => {
    using cgroup = new TestCgroup(`docker-${ID}.scope`, OLD);
    cgroup.describeToDocker();
    cgroup.enter('--mount');
    cgroup.event();
    cgroup.enter();
    for (let tick = 0; tick < 5; tick++) cgroup.source.tick();
    assert.deepEqual([cgroup.facts.map(({ id }) => id), cgroup.scopes, cgroup.findings], [[ID], [true], []]);
  });

  it("becomes the host's when a process of the host stays in it, if no runtime describes it", () => {
    using cgroup = new TestCgroup(`docker-${ID}.scope`, OLD);
    cgroup.enter('--mount');
    cgroup.event();
    cgroup.enter();
    for (let tick = 0; tick < 3; tick++) cgroup.source.tick();
    assert.deepEqual(
      [cgroup.facts.map(({ id }) => id), cgroup.scopes, cgroup.findings.length],
      [[ID, ''], [true, false], 1],
    );
  });

  it('is neither while a runtime may still be creating the container', () => {
    using cgroup = new TestCgroup(`docker-${ID}.scope`);
    const runtime = cgroup.enter();
    cgroup.event();
    assert.deepEqual([cgroup.facts, cgroup.scopes, cgroup.findings], [[], [], []]);
    cgroup.describeToDocker();
    cgroup.enter('--mount');
    runtime.kill('SIGKILL');
    cgroup.event(bootMicros() + 1000, true);
    assert.deepEqual([cgroup.facts.map(({ id }) => id), cgroup.scopes, cgroup.findings], [[ID], [true], []]);
  });

  it('of the demo alone makes nothing a container', () => {
    using cgroup = new TestCgroup(`ringfence-demo-${process.pid}`, OLD);
    cgroup.enter('--mount');
    cgroup.event();
    assert.deepEqual([cgroup.facts, cgroup.scopes], [[], [false]]);
  });
});
