import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { on } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { BpfMap, BpfObject } from '@ringfence/libbpf-ts';
import { factsAt, readProcesses, SNAPSHOT } from '@ringfence/sensor';
import { buildSensor } from '@ringfence/sensor/build';
import { Group } from '@ringfence/testkit/sensor';
import { type AgentProcess, BARRIER_OBJECT, Barrier, type BarrierAction, removeBarrier } from '../src/index.ts';

export const PEER = '198.51.100.2';
export const PEER6 = '2001:db8::2';
export const OWN = '198.51.100.1';
export const PORT = 7001;
export const OTHER_PORT = 7002;

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** A program that answers each line with a line. */
export class Program implements AsyncDisposable {
  readonly child: Child;
  readonly #lines: AsyncIterator<string[]>;

  private constructor(child: Child) {
    this.child = child;
    this.#lines = on(createInterface(child.stdout), 'line', { close: ['close'] }) as AsyncIterator<string[]>;
  }

  static async start(group: Group, ...command: readonly string[]): Promise<Program> {
    const enter = `echo $$ > ${group.path}/cgroup.procs && exec "$@"`;
    const program = new Program(
      spawn('/bin/sh', ['-c', enter, 'sh', ...command], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    await program.#line();
    return program;
  }

  get pid(): number {
    return this.child.pid as number;
  }

  async ask(line: string): Promise<string> {
    this.child.stdin.write(`${line}\n`);
    return await this.#line();
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true || value === undefined) throw new Error('the program has ended');
    return value[0] ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await ended;
  }
}

/** Two network namespaces with a link between them. The barrier judges one of them: the cgroup `host`. */
export class NetworkLab implements AsyncDisposable {
  /** Stands for the root of the hierarchy, so that the barrier judges nothing else. */
  readonly host: Group = new Group();
  readonly outside: Group = new Group();
  readonly pins: string = join(mkdtempSync(`/sys/fs/bpf/rf-test-${process.pid}-`), 'barrier');
  readonly #stack = new AsyncDisposableStack();
  #namespace = 0;
  peer!: Program;

  private constructor() {
    this.#stack.defer(() => rmSync(dirname(this.pins), { recursive: true }));
    this.#stack.use(this.outside);
    this.#stack.use(this.host);
    this.#stack.defer(() => {
      if (existsSync(this.pins)) removeBarrier(this.pins);
    });
  }

  static async start(): Promise<NetworkLab> {
    const lab = new NetworkLab();
    lab.#namespace = await lab.#makeNamespace(lab.host);
    const far = await lab.#makeNamespace(lab.outside);
    const near = lab.#namespace;
    ip('link', 'add', 'v0', 'netns', String(near), 'type', 'veth', 'peer', 'name', 'v1', 'netns', String(far));
    for (const [pid, device, own, own6] of [
      [near, 'v0', OWN, '2001:db8::1'],
      [far, 'v1', PEER, PEER6],
    ] as const) {
      inNamespace(pid, 'ip', 'addr', 'add', `${own}/24`, 'dev', device);
      inNamespace(pid, 'ip', 'addr', 'add', `${own6}/64`, 'dev', device, 'nodad');
      inNamespace(pid, 'ip', 'link', 'set', 'lo', 'up');
      inNamespace(pid, 'ip', 'link', 'set', device, 'up');
    }
    lab.peer = lab.#stack.use(await Program.start(lab.outside, ...enter(far), 'python3', script('peer.py')));
    await lab.#untilReachable();
    return lab;
  }

  /** A new link carries nothing for some milliseconds. */
  async #untilReachable(): Promise<void> {
    const program = await this.program();
    for (const host of [PEER, PEER6]) while ((await program.ask(`udp ${host} ${PORT}`)) !== 'ok');
  }

  /** Starts a program in the namespace that is judged. */
  async program(group: Group = this.host, ...command: readonly string[]): Promise<Program> {
    const own = command.length > 0 ? command : ['python3', script('probe.py')];
    return this.#stack.use(await Program.start(group, ...enter(this.#namespace), ...own));
  }

  /** A cgroup below the judged one. */
  group(parent: Group = this.host): Group {
    return this.#stack.use(new Group(parent));
  }

  async barrier(actions: readonly BarrierAction[] = [], agents: readonly AgentProcess[] = []): Promise<Barrier> {
    const objectPath = join(dirname(await buildSensor()), BARRIER_OBJECT);
    return Barrier.open({ objectPath, pins: this.pins, cgroupRoot: this.host.path, agents }, actions);
  }

  /** Start of a process: ns, CLOCK_BOOTTIME. */
  async startOf(tgid: number): Promise<bigint> {
    using object = BpfObject.open(await buildSensor());
    for (const program of object.programs.values()) program.autoload = program.name === SNAPSHOT;
    object.load();
    const snapshot = readProcesses(object.program(SNAPSHOT), { tgid });
    return snapshot.offsets.map((at) => factsAt(snapshot, at).start)[0] ?? 0n;
  }

  /** Removes everything from the kernel, as a reboot does. */
  reboot(): void {
    removeBarrier(this.pins);
  }

  /** Pins another map in place of one, which no program can use. */
  replaceMap(name: string): void {
    const path = join(this.pins, name);
    rmSync(path);
    using map = BpfMap.create({ type: 'array', name: 'other', keySize: 4, valueSize: 4, maxEntries: 1 });
    map.pin(path);
  }

  /** IP packets of programs that have reached the peer since the last call. */
  async arrived(): Promise<number> {
    return Number(await this.peer.ask('seen'));
  }

  async #makeNamespace(group: Group): Promise<number> {
    const program = this.#stack.use(
      await Program.start(group, 'unshare', '-n', 'sh', '-c', 'echo ready; exec sleep 600'),
    );
    return program.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const script = (name: string): string => join(import.meta.dirname, 'programs', name);
const enter = (pid: number): string[] => ['nsenter', '-t', String(pid), '-n'];
const ip = (...args: readonly string[]): void => void execFileSync('ip', args);
const inNamespace = (pid: number, ...command: readonly string[]): void =>
  void execFileSync('nsenter', [...enter(pid).slice(1), ...command]);
