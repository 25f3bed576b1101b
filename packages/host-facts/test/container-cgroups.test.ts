import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { bootMicros, type ContainerFact, type ContextSink, type Finding } from '@ringfence/host-kit';
import { kernelSkip } from '@ringfence/testkit/agent';
import { Cgroups } from '../src/containers/cgroups.ts';
import { ContainerSource } from '../src/containers/container-source.ts';
import { ID, RuntimeFiles } from './runtime-files.ts';

const NOBODY = 65_534;
const CHECKOUT = join(import.meta.dirname, '../../..');

/** A new cgroup, and a source for it. */
class TestCgroup implements Disposable {
  readonly place = new RuntimeFiles();
  readonly facts: ContainerFact[] = [];
  readonly findings: Finding[] = [];
  /** Each scope that the source set: whether the cgroup belongs to a container */
  readonly scopes: boolean[] = [];
  readonly source: ContainerSource;
  /** How often the source reported that it can't read the runtimes' files */
  unreadable = 0;
  readonly #cgroup: string;
  readonly #above: string | undefined;
  readonly id: bigint;
  readonly #processes: ChildProcess[] = [];

  /**
   * @param name the part before a slash is a cgroup of the user nobody
   * @param ageMicros age of the cgroup; a source looks a young one up again
   */
  constructor(name: string, ageMicros = 0) {
    using cgroups = new Cgroups();
    this.#cgroup = join(cgroups.mount ?? '', name);
    mkdirSync(this.#cgroup, { recursive: true });
    this.#above = name.includes('/') ? dirname(this.#cgroup) : undefined;
    if (this.#above !== undefined) chownSync(this.#above, NOBODY, NOBODY);
    this.id = statSync(this.#cgroup, { bigint: true }).ino;
    const creation = { path: `/${name}`, ktime: bootMicros() - ageMicros };
    this.source = new ContainerSource({
      fileDirectories: [],
      onUnsafe: assert.fail,
      onUnreadable: () => this.unreadable++,
      roots: this.place.roots,
      creationOf: (id) => (id === this.id ? creation : null),
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

  /** Simulates an event of the cgroup, or of another one. */
  event(ktime = bootMicros(), isExec = false, id = this.id): void {
    this.source.onEvent(Number(id & 0xffff_ffffn), Number(id >> 32n), ktime, isExec);
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

  /** Ends a process, and removes the cgroup. */
  end(child: ChildProcess): void {
    child.kill('SIGKILL');
    while (this.#pids().includes(child.pid ?? 0)) execFileSync('sleep', ['0.01']);
    this.remove();
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
    if (this.#above !== undefined) rmdirSync(this.#above);
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

describe('a container that its cgroup name claims', { skip: kernelSkip() }, () => {
  const OLD = 60_000_000;
  const ofUser = `rf-user-${process.pid}`;
  /** As many ticks as a runtime has time to write its description. */
  const wait = (cgroup: TestCgroup): void => {
    for (let tick = 0; tick < 20; tick++) cgroup.source.tick();
  };
  const unknown = (cgroup: TestCgroup): unknown => cgroup.findings.map(({ check, subject }) => [check, subject]);

  for (const name of [
    `docker-${ID}.scope`,
    `${ofUser}/docker-${ID}.scope`,
    `${ofUser}/lxc.payload.x`,
    `${ofUser}/systemd-nspawn@x.service`,
  ])
    it(`is a finding, once, if no runtime of the host knows it: ${name.replace(/\d+/, 'PID')}`, () => {
      using cgroup = new TestCgroup(name, OLD);
      cgroup.enter('--user', '--net');
      cgroup.event();
      assert.deepEqual([cgroup.scopes, cgroup.findings], [[true], []]);
      wait(cgroup);
      assert.deepEqual(unknown(cgroup), [['container-unknown', `/${name}`]]);
    });

  it('is a finding when it is gone before a runtime could have described it', () => {
    using cgroup = new TestCgroup(`docker-${ID}.scope`, OLD);
    const process = cgroup.enter('--user');
    cgroup.event();
    cgroup.end(process);
    wait(cgroup);
    assert.deepEqual(unknown(cgroup), [['container-unknown', `/docker-${ID}.scope`]]);
  });

  it('does not borrow the description of another container if a user could have made the cgroup', () => {
    using cgroup = new TestCgroup(`${ofUser}/docker-${ID}.scope`, OLD);
    cgroup.describeToDocker();
    cgroup.enter('--user');
    cgroup.event();
    wait(cgroup);
    assert.deepEqual(
      [cgroup.facts.map(({ id, name }) => [id, name]), unknown(cgroup)],
      [[[ID, '']], [['container-unknown', `/${ofUser}/docker-${ID}.scope`]]],
    );
  });

  it('is no finding if root made the cgroup for a runtime that describes nothing, or that is late', () => {
    using silent = new TestCgroup('lxc.payload.x', OLD);
    using late = new TestCgroup(`docker-${ID}.scope`, OLD);
    for (const cgroup of [silent, late]) {
      cgroup.enter('--user');
      cgroup.event();
    }
    late.source.tick();
    late.describeToDocker();
    for (const cgroup of [silent, late]) {
      wait(cgroup);
      assert.deepEqual(cgroup.findings, []);
    }
    assert.equal(late.facts.at(-1)?.name, 'web');
  });

  it("is no finding where the runtimes' files can't be read, which is reported once", () => {
    using first = new TestCgroup(`docker-${ID}.scope`, OLD);
    using second = new TestCgroup(`libpod-${ID}.scope`, OLD);
    for (const cgroup of [first, second]) {
      cgroup.enter('--user');
      first.event(bootMicros(), false, cgroup.id);
    }
    process.seteuid?.(NOBODY);
    try {
      wait(first);
    } finally {
      process.seteuid?.(0);
    }
    assert.deepEqual([first.scopes, first.findings, first.unreadable], [[true, true], [], 1]);
  });

  it("is no finding for an agent in a container that the host's root is not mounted into", () => {
    const module = join(import.meta.dirname, '../src/runtimes/are-readable.ts');
    const code = `import(${JSON.stringify(module)}).then((module) =>
      console.log(module.areRuntimesReadable({ root: '/', dockerRoots: [] })))`;
    const layer =
      'mount -t tmpfs x /mnt && cd /mnt && mkdir u w r && mount -t overlay x r -o lowerdir=/,upperdir=u,workdir=w';
    const inside = `${layer} && mount --rbind /proc r/proc && mount --rbind "$0" "r/$0" && chroot r`;
    const node = [process.execPath, ...process.execArgv.filter((option) => !option.startsWith('--test')), '-e', code];
    const run = (...command: string[]): string =>
      execFileSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' });
    assert.equal(run(...node), 'true\n');
    assert.equal(run('unshare', '--mount', 'sh', '-ec', `${inside} "$@"`, CHECKOUT, ...node), 'false\n');
  });
});
