import { closeSync, mkdirSync, readdirSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ifReadable, pidfdGetfd, pidfdOpen, SystemCallError } from '@ringfence/host-kit';
import { BpfError, BpfLink, type BpfMap, BpfObject } from '@ringfence/libbpf-ts';
import { type BarrierCounts, COUNTED } from './counts.ts';
import { type BarrierRule, keyOf, ruleValue, type Table, tableOf, usesOf } from './rules.ts';

/** The object beside the sensor's. */
export const BARRIER_OBJECT = 'barrier.bpf.o';

/** Directory of the pins, below that of the sensor's. */
export const barrierPins = (pinPath: string): string => join(pinPath, 'barrier');

export interface BarrierOptions {
  readonly objectPath: string;
  /** Directory below a bpf file system; made when missing */
  readonly pins: string;
  /** Root of the cgroup v2 hierarchy */
  readonly cgroupRoot: string;
  /** Processes whose sockets always pass: the agent and its partner, at most two. */
  readonly agents: readonly AgentProcess[];
}

export interface AgentProcess {
  /** in this process's pid namespace */
  readonly pid: number;
  /** the kernel's pid, and its start: ns, CLOCK_BOOTTIME */
  readonly tgid: number;
  readonly start: bigint;
}

/** The rules of an action. `until`: ns, CLOCK_BOOTTIME, or NEVER. */
export interface BarrierAction {
  readonly id: string;
  readonly rules: readonly BarrierRule[];
  readonly until: bigint;
}

const TABLES: readonly Table[] = [
  'barrier_blocked',
  'barrier_allowed',
  'barrier_names',
  'barrier_dns',
  'barrier_isolated',
];

/** ns, CLOCK_BOOTTIME: the rule lasts until it is removed. */
export const NEVER: bigint = (1n << 63n) - 1n;

interface Entry {
  readonly table: Table;
  readonly rule: BarrierRule;
  /** when the kernel ends it, by the id of each action that wants it */
  readonly until: Map<string, bigint>;
}

/** `isolate` comes after what passes the isolation, and goes before it. */
const isolateLast = (one: BarrierRule, other: BarrierRule): number =>
  Number(one.what === 'isolate') - Number(other.what === 'isolate');

/**
 * The rules of bpf/barrier.bpf.c. Maps and links are pinned: rules hold while no agent runs, and end by themselves. The
 * hooks are attached only while there are rules.
 */
export class Barrier implements Disposable {
  readonly #options: BarrierOptions;
  readonly #object: BpfObject;
  readonly #entries = new Map<string, Entry>();
  readonly #links = new Map<string, BpfLink>();

  private constructor(options: BarrierOptions, object: BpfObject) {
    this.#options = options;
    this.#object = object;
  }

  /**
   * Loads the programs, and puts the rules of the actions in force that are in force by the journal, and no others: a
   * reboot has removed them, or an earlier agent has left some. Hooks of an earlier agent run the new programs after
   * that, without a gap. Throws BpfError: the kernel refuses a program, or a capability is missing.
   */
  static open(options: BarrierOptions, actions: readonly BarrierAction[]): Barrier {
    mkdirSync(options.pins, { recursive: true, mode: 0o700 });
    using stack = new DisposableStack();
    const barrier = new Barrier(options, stack.use(loadObject(options)));
    barrier.#restore(actions);
    stack.move();
    return barrier;
  }

  /** What was refused since the maps were made. */
  counts(): BarrierCounts {
    const map = this.#map('barrier_counts');
    const value = Buffer.alloc(8);
    const count = (index: number): number => (map.lookup(indexKey(index), value) ? Number(value.readBigUInt64LE()) : 0);
    return Object.fromEntries(COUNTED.map((name, index) => [name, count(index)])) as BarrierCounts;
  }

  /** Whether the hooks are attached. Without rules they need not be. */
  get isAttached(): boolean {
    return this.#links.size > 0 && [...this.#links.values()].every(({ attached }) => attached);
  }

  /** Puts rules in force, which they are when this returns. A second call for the same action changes its time. */
  add(action: BarrierAction): void {
    this.#fill(action);
    this.#apply();
  }

  /** Takes the rules of an action back, unless another action wants the same ones. */
  remove(id: string): void {
    const own = [...this.#entries].filter(([, { until }]) => until.has(id));
    for (const [name, entry] of own.sort(([, a], [, b]) => isolateLast(b.rule, a.rule))) {
      entry.until.delete(id);
      const key = keyOf(entry.rule);
      if (entry.until.size > 0) {
        this.#write(entry, key);
        continue;
      }
      this.#entries.delete(name);
      this.#map(entry.table).remove(key);
    }
    this.#apply();
  }

  /** Whether all rules of an action are in the kernel, and the hooks attached. */
  holds(id: string): boolean {
    const own = [...this.#entries.values()].filter(({ until }) => until.has(id));
    const isThere = ({ table, rule }: Entry): boolean => {
      const map = this.#map(table);
      return map.lookup(keyOf(rule), new Uint8Array(map.info.valueSize));
    };
    return own.length > 0 && own.every(isThere) && this.isAttached;
  }

  [Symbol.dispose](): void {
    for (const link of this.#links.values()) link[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }

  #restore(actions: readonly BarrierAction[]): void {
    for (const action of actions) this.#fill(action);
    for (const table of TABLES) {
      const map = this.#map(table);
      for (const key of [...keysOf(map)]) if (!this.#entries.has(nameOf(table, key))) map.remove(key);
    }
    this.#pinPrograms();
    this.#resumeLinks();
    this.#apply();
  }

  /** For `bpftool` and the check of the kernel's integrity, which recognize the agent's programs by their pins. */
  #pinPrograms(): void {
    for (const program of this.#object.programs.values()) {
      const path = join(this.#options.pins, `program_${program.name}`);
      rmSync(path, { force: true });
      program.pin(path);
    }
  }

  #fill({ id, rules, until }: BarrierAction): void {
    for (const rule of [...rules].sort(isolateLast)) {
      const key = keyOf(rule);
      const table = tableOf(rule);
      const name = nameOf(table, key);
      const entry = this.#entries.get(name) ?? { table, rule, until: new Map<string, bigint>() };
      entry.until.set(id, until);
      this.#entries.set(name, entry);
      this.#write(entry, key);
    }
  }

  #write({ table, rule, until }: Entry, key: Uint8Array): void {
    let latest = 0n;
    for (const end of until.values()) if (end > latest) latest = end;
    this.#map(table).update(key, ruleValue(rule, latest));
  }

  /** Attaches or detaches the hooks, and says which kinds of rules there are. */
  #apply(): void {
    const uses = usesOf([...this.#entries.values()].map(({ rule }) => rule));
    if (uses !== 0) this.#attach();
    const settings = Buffer.alloc(this.#map('barrier_settings').info.valueSize);
    for (const [index, { tgid, start }] of this.#options.agents.slice(0, 2).entries()) {
      settings.writeBigUInt64LE(start, 8 * index);
      settings.writeUInt32LE(tgid, 16 + 4 * index);
    }
    settings.writeUInt32LE(uses, 24);
    this.#map('barrier_settings').update(indexKey(0), settings);
    if (uses === 0) this.#detach();
  }

  /** The sockets of the agents are known before the first packet is judged, and those made meanwhile after it. */
  #attach(): void {
    if (this.isAttached) return;
    this.#detach();
    this.#knowSockets();
    for (const program of this.#object.programs.values()) {
      const link = program.attachCgroup(this.#options.cgroupRoot);
      this.#links.set(program.name, link);
      link.pin(this.#pinOf(program.name));
    }
    this.#knowSockets();
  }

  #detach(): void {
    for (const link of this.#links.values()) {
      if (link.attached) link.detach();
      if (link.pinPath !== null) link.unpin();
      link[Symbol.dispose]();
    }
    this.#links.clear();
  }

  #resumeLinks(): void {
    const pinned = new Set(readdirSync(this.#options.pins));
    for (const program of this.#object.programs.values()) {
      if (!pinned.has(`link_${program.name}`)) continue;
      const link = BpfLink.openPinned(this.#pinOf(program.name));
      this.#links.set(program.name, link);
      if (link.attached) link.update(program);
    }
    // One that was removed leaves a hole: all are attached again with the next rule.
    if (this.#links.size > 0 && this.#links.size < this.#object.programs.size) this.#detach();
    if (this.#links.size > 0) this.#knowSockets();
  }

  readonly #pinOf = (program: string): string => join(this.#options.pins, `link_${program}`);

  /** Marks the sockets that the agents have. Those that they make later are marked by the kernel. */
  #knowSockets(): void {
    const map = this.#map('barrier_agent');
    const one = new Uint8Array(Uint32Array.of(1).buffer);
    for (const { pid } of this.#options.agents)
      for (const descriptor of socketsOf(pid))
        withDescriptor(pid, descriptor, (fd) => map.update(new Uint8Array(Int32Array.of(fd).buffer), one));
  }

  /** Keys and values as bytes */
  #map(name: string): BpfMap<Uint8Array, Uint8Array> {
    return this.#object.map(name) as unknown as BpfMap<Uint8Array, Uint8Array>;
  }
}

/** Maps of an earlier agent stay in use, unless a release has changed them: then the hooks keep the old ones. */
function loadObject(options: BarrierOptions): BpfObject {
  try {
    return openObject(options).load();
  } catch (error) {
    const maps = readdirSync(options.pins).filter((name) => name.startsWith('barrier_'));
    if (maps.length === 0) throw error;
    for (const name of maps) rmSync(join(options.pins, name));
    return openObject(options).load();
  }
}

function openObject({ objectPath, pins }: BarrierOptions): BpfObject {
  const object = BpfObject.open(objectPath);
  for (const definition of object.definitions.values()) definition.pinAt(join(pins, definition.name));
  return object;
}

const nameOf = (table: Table, key: Uint8Array): string => `${table} ${Buffer.from(key).toString('latin1')}`;

const indexKey = (index: number): Uint8Array => new Uint8Array(Uint32Array.of(index).buffer);

function* keysOf(map: BpfMap<Uint8Array, Uint8Array>): Generator<Uint8Array> {
  let key: Uint8Array | null = null;
  for (;;) {
    const next = new Uint8Array(map.info.keySize);
    if (!map.nextKey(key, next)) return;
    yield next;
    key = next;
  }
}

function socketsOf(pid: number): number[] {
  const directory = `/proc/${pid}/fd`;
  return (ifReadable(() => readdirSync(directory)) ?? [])
    .filter((name) => (ifReadable(() => readlinkSync(join(directory, name))) ?? '').startsWith('socket:'))
    .map(Number);
}

/** Hands over a descriptor of a process. One that was closed meanwhile is left out. */
function withDescriptor(pid: number, descriptor: number, use: (fd: number) => void): void {
  const isOwn = pid === process.pid;
  let [pidfd, fd] = [-1, -1];
  try {
    if (!isOwn) pidfd = pidfdOpen(pid);
    fd = isOwn ? descriptor : pidfdGetfd(pidfd, descriptor);
    use(fd);
  } catch (error) {
    const isClosed = error instanceof SystemCallError || (error instanceof BpfError && error.errnoName === 'EBADF');
    if (!isClosed) throw error;
  } finally {
    if (!isOwn && fd >= 0) closeSync(fd);
    if (pidfd >= 0) closeSync(pidfd);
  }
}

/** Ends all rules of a host, and removes the hooks: for the uninstallation. */
export function removeBarrier(pins: string): void {
  const names = readdirSync(pins);
  for (const name of names.filter((file) => file.startsWith('link_'))) {
    using link = BpfLink.openPinned(join(pins, name));
    if (link.attached) link.detach();
    link.unpin();
  }
  for (const name of names.filter((file) => !file.startsWith('link_'))) rmSync(join(pins, name));
  rmdirSync(pins);
}
