import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bootMicros, type ContainerFact, type ContextSink, type Finding } from '@ringfence/host-kit';
import { kernelSkip } from '@ringfence/testkit/agent';
import { Cgroups } from '../src/containers/cgroups.ts';
import { ContainerSource } from '../src/containers/container-source.ts';
import { ID, RuntimeFiles } from './runtime-files.ts';

/** A new cgroup, and a source for it. */
class TestCgroup implements Disposable {
  readonly place = new RuntimeFiles();
  readonly facts: ContainerFact[] = [];
  readonly findings: Finding[] = [];
  /** Each scope that the source set: whether the cgroup belongs to a container */
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
