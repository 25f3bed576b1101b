/** The sensor loaded and attached for a test, with the records of the programs that the test runs. */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BpfObject, RingBuffer } from '@ringfence/libbpf-ts';
import { FullProfile, type KindAccount, type SensorFilter } from '@ringfence/sensor';
import { buildSensor } from '@ringfence/sensor/build';
import {
  Counters as Account,
  adoptSockets,
  attachMethods,
  DROP_CAUSES,
  type DropCause,
  openFilter,
  SensorFailures,
  UNIX_SENT,
} from '@ringfence/sensor/parts';
import { cgroup2, LoadedSensor } from './loaded.ts';
import { RecordReader, type SensorRecord } from './records.ts';
import { inGuest, prebuilt } from './scratch.ts';
import { compilerMissing, sensorMissing } from './sensor-missing.ts';

export { Group } from './group.ts';
export { cgroup2 } from './loaded.ts';
export { compileProgram, inGuest, LIBRARIES, Scratch } from './scratch.ts';
export { sensorMissing } from './sensor-missing.ts';

export const SECURITY = 0;
export const BULK = 1;
/** Prefixes are looked up under every directory of the root. */
const ALL_HEADS = [0xffff_ffff, 0xffff_ffff];
/** Interval at which the rings are drained while a program runs. */
const DRAIN_MS = 2;
/** Number of checks, 50 ms apart, without a change of the sequence numbers after which a detached sensor is quiet. */
const STILL_LOOKS = 10;
/** In a guest, tests use the full profile like the agent would, unless test/kernels/ selects the baseline. */
const seesFull = inGuest && process.env['RINGFENCE_TEST_PROFILE'] !== 'baseline';

/** Returns the path of the sensor's object. Builds it if necessary. */
export async function sensorObject(): Promise<string> {
  return prebuilt === undefined ? await buildSensor() : join(prebuilt, 'ringfence.bpf.o');
}

let profile: FullProfile | undefined;

/** Returns the full profile with the attach method that test/kernels/ selects, or else with the best ones. */
export function fullProfile(path: string): FullProfile {
  const wanted = process.env['RINGFENCE_TEST_ATTACH_METHOD'];
  profile ??= FullProfile.probe(
    path,
    attachMethods.filter((method) => wanted === undefined || method === wanted),
  );
  return profile;
}

/**
 * Returns `source_caller` of data that the baseline reads from the caller's memory and the full profile from the
 * kernel.
 */
export async function callerUnlessFull(): Promise<0 | 1> {
  return seesFull && fullProfile(await sensorObject()).programs.size > 0 ? 0 : 1;
}

/**
 * Whether the kernel's function that sends datagrams to unix sockets is traced, so that all of them are reported with a
 * name.
 */
export async function seesUnixSent(): Promise<boolean> {
  return seesFull && fullProfile(await sensorObject()).programs.has(UNIX_SENT);
}

function defaultSystemCalls(path: string): 'functions' | 'tracepoints' {
  return seesFull && fullProfile(path).tracepointReason === undefined ? 'functions' : 'tracepoints';
}

/** Reason to skip tests of the sensor on this machine, or false. */
export const skip: string | false = missingRequirement() ?? false;

function missingRequirement(): string | undefined {
  if (process.getuid?.() !== 0) return 'loading the sensor needs root';
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'the kernel has no BTF';
  if (cgroup2() === undefined) return 'cgroup2 is not mounted';
  if (!existsSync('/sys/kernel/tracing/events/syscalls')) return 'tracefs is not mounted at /sys/kernel/tracing';
  return sensorMissing ?? compilerMissing;
}

/**
 * Reason to skip tests that change the machine, or false in a guest of packages/testkit: its kernel command line has
 * `ringfence.guest`.
 */
export const skipOutsideGuest: string | false = readFileSync('/proc/cmdline', 'utf8').includes(' ringfence.guest')
  ? false
  : 'it would change this machine: run npm run test:kernels';

/** Reason to skip tests of the built object, which do not depend on the kernel, or false. */
export const skipInGuest: string | false =
  prebuilt === undefined ? false : 'it tests the built object, which is the same on every kernel';

/** Reason to skip tests that need a user namespace, or false. The kernel grants none in a chroot. */
export const skipUserNamespaces: string | false =
  spawnSync('unshare', ['--user', 'true']).status === 0 ? false : 'unshare --user is not permitted';

export interface SensorOptions {
  /** bytes. @default 16 MiB */
  readonly bulkRing?: number;
  /** entries by map. @default the sensor's own sizes */
  readonly sizes?: Readonly<Record<string, number>>;
  /** load the full profile. @default true in a guest, otherwise false */
  readonly full?: boolean;
  /**
   * also load the programs for calls that seccomp rejects, in a guest; this takes as long as loading all others.
   * @default false
   */
  readonly refusals?: boolean;
  /** attach now instead of reusing the sensor of an earlier test in this process. @default false */
  readonly fresh?: boolean;
  /**
   * where programs of system calls are attached. @default in a guest like the agent would, otherwise tracepoints, which
   * every kernel has
   */
  readonly systemCalls?: 'functions' | 'tracepoints';
}

export interface RunOptions extends SpawnOptions {
  /** true if the program is meant to fill the rings, which are then not drained while it runs. @default false */
  readonly fillsRings?: boolean;
}

export type Counters = { readonly sequence: bigint } & { readonly [drop in DropCause]: bigint };

export class TestSensor implements Disposable {
  readonly object: BpfObject;
  readonly #loaded: LoadedSensor;
  readonly rings: readonly [RingBuffer, RingBuffer];
  readonly records: SensorRecord[] = [];
  readonly reader: RecordReader;
  /** programs whose hook this kernel lacks */
  readonly missing: ReadonlySet<string>;
  readonly #account: Account;
  readonly failures: SensorFailures;
  readonly filter: SensorFilter;
  readonly #cpus: number;

  private constructor(loaded: LoadedSensor) {
    this.#loaded = loaded;
    this.object = loaded.object;
    const { object } = this;
    this.missing = loaded.missing;
    if (object.btf === undefined) throw new Error('the sensor has no BTF');
    this.reader = new RecordReader(object.btf);
    this.#account = new Account(object.map('rf_counters'));
    this.failures = new SensorFailures(object);
    this.filter = openFilter(object);
    this.#cpus = object.map('rf_counters').info.maxEntries;
    this.rings = [object.map('rf_ring_security').ringBuffer(), object.map('rf_ring_bulk').ringBuffer()];
  }

  static async start(options: SensorOptions = {}): Promise<TestSensor> {
    const path = await sensorObject();
    const { full = seesFull, fresh = false, bulkRing = 1 << 24, sizes = {}, refusals = false } = options;
    const systemCalls = options.systemCalls ?? defaultSystemCalls(path);
    const programs: ReadonlySet<string> = full ? fullProfile(path).programs : new Set();
    return new TestSensor(
      LoadedSensor.get(path, {
        full: programs,
        systemCalls,
        fresh,
        bulkRing,
        sizes,
        refusals: refusals && systemCalls === 'functions',
      }),
    );
  }

  control(settings: {
    agent_tgid?: number;
    agent_start?: bigint;
    all_opens?: number;
    watched_heads?: [number, number];
    nothing_named?: number;
    executables_named?: number;
    changed_heads?: [number, number];
    changes_named?: number;
    raw_paths?: number;
    all_variables?: number;
    variables_named?: number;
    share_interval?: bigint;
    share_burst?: bigint;
    share_from?: [number, number];
    byte_share_interval?: [bigint, bigint];
    byte_share_burst?: [bigint, bigint];
    byte_share_from?: [number, number];
    byte_share_until?: [number, number];
  }): void {
    this.object.globals['rf_control'] = { watched_heads: ALL_HEADS, ...settings };
  }

  watch(prefix: string, map = 'rf_watched'): void {
    const path = Buffer.alloc(256);
    const length = path.write(prefix);
    this.object.map(map).set({ prefixlen: length * 8, path }, 1);
  }

  watchVariable(name: string): void {
    const text = Buffer.alloc(64);
    const length = text.write(`${name}=`);
    this.object.map('rf_variables').set({ prefixlen: length * 8, name: text }, 1);
  }

  watchName(last: string, map = 'rf_names'): void {
    const name = Buffer.alloc(32);
    name.write(last.slice(-32));
    this.object.map(map).set({ name }, 1);
  }

  /** rf_unwatched and rf_unnamed; at the start all bits are 0, which means that every hash is in use. */
  get hashes(): { readonly unwatched: Uint8Array; readonly unnamed: Uint8Array } {
    const bss = this.object.section('.bss');
    return { unwatched: bss.bytes('rf_unwatched'), unnamed: bss.bytes('rf_unnamed') };
  }

  watchExecutable(last: string): void {
    this.watchName(last, 'rf_executables');
  }

  /** Returns the sums over all CPUs of a lane. */
  counters(lane: number): Counters {
    const sum: Record<string, bigint> = { sequence: 0n };
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      sum['sequence'] = (sum['sequence'] ?? 0n) + this.sequence(lane, cpu);
      const drops = this.#account.drops(lane, cpu);
      for (const drop of DROP_CAUSES) sum[drop] = (sum[drop] ?? 0n) + BigInt(drops[drop] ?? 0);
    }
    return sum as Counters;
  }

  /** The last sequence number that a lane took on a CPU, whether its record was lost or not. */
  sequence(lane: number, cpu: number): bigint {
    return BigInt(this.#account.sequence(lane, cpu));
  }

  /** Returns what became of the events of each kind. */
  account(): KindAccount[] {
    return this.#account.kinds();
  }

  /**
   * Detaches the hooks and drains the rings until the sensor is quiet, because the kernel detaches in the background.
   * Afterwards no event is in progress in the account.
   */
  async finish(): Promise<void> {
    this.#loaded.detach();
    const sequences = (): string => `${this.counters(SECURITY).sequence} ${this.counters(BULK).sequence}`;
    for (let before = sequences(), still = 0; still < STILL_LOOKS; still++) {
      await sleep(50);
      this.drain();
      if (sequences() === before) continue;
      before = sequences();
      still = -1;
    }
  }

  /** Drains the rings, including records behind one that another CPU is still writing. */
  drain(): void {
    for (const [lane, ring] of this.rings.entries()) {
      ring.begin();
      do
        while (ring.next()) {
          const bytes = Buffer.from(ring.bytes.subarray(ring.offset, ring.offset + ring.length));
          this.records.push(this.reader.read(lane, bytes));
        }
      while (ring.busy);
      ring.release();
    }
  }

  /**
   * Runs a program until it ends. Returns the records of it and its children. The first one is the fork of the program.
   * Drains the rings meanwhile, because other processes of a busy machine would fill them. Throws an Error if security
   * records were lost nevertheless, so that a test does not take another record for a lost one.
   */
  async run(file: string, args: readonly string[] = [], options: RunOptions = {}): Promise<SensorRecord[]> {
    const { fillsRings = false, ...spawnOptions } = options;
    this.drain();
    const from = this.records.length;
    const lostBefore = this.counters(SECURITY).ring_full;
    const draining = fillsRings ? undefined : setInterval(() => this.drain(), DRAIN_MS);
    try {
      const child = spawn(file, args, { stdio: 'ignore', ...spawnOptions });
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      const records = this.familyOf(child, from);
      const lost = this.counters(SECURITY).ring_full - lostBefore;
      if (lost > 0n && !fillsRings)
        throw new Error(`${lost} security records were lost while ${file} ran: the ring was full`);
      return records;
    } finally {
      clearInterval(draining);
    }
  }

  /**
   * Returns the records of a process and its children.
   * @param from index of the first record that can belong to them
   */
  familyOf(child: ChildProcess, from = 0): SensorRecord[] {
    this.drain();
    const family = new Set([child.pid]);
    const byTime = this.records.slice(from).sort((a, b) => Number(a.header.ktime - b.header.ktime));
    return byTime.filter(({ type, header, fields }) => {
      if (type === 'rf_fork' && family.has(fields['parent_tgid'] as number)) family.add(header.tgid);
      return family.has(header.tgid);
    });
  }

  /** Reads all running processes, or one of them. */
  snapshot(tgid?: number): SensorRecord[] {
    using link = this.object.program('snapshot').attachIterator(tgid === undefined ? {} : { tgid });
    using iterator = link.iterate();
    return this.reader.readAll(SECURITY, iterator.readAll());
  }

  /** Finds the owners of existing sockets, like an agent does at its start. */
  adopt(): void {
    adoptSockets(this.object);
  }

  [Symbol.dispose](): void {
    this.#account[Symbol.dispose]();
    this.failures[Symbol.dispose]();
    for (const ring of this.rings) ring[Symbol.dispose]();
    this.#loaded[Symbol.dispose]();
  }
}

/** Returns the only record of a type. Throws if there are none, or several. */
export function recordOf(records: readonly SensorRecord[], type: string): SensorRecord {
  const found = records.filter((record) => record.type === type);
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${found.length} records of ${type} among ${records.map((record) => record.type).join(', ')}`);
  return found[0];
}

/** Returns the last of exactly `count` records of a type, so that no other record is taken for a lost one. */
export function lastOf(records: readonly SensorRecord[], type: string, count: number): SensorRecord {
  const found = recordsOf(records, type);
  const last = found.at(-1);
  if (last === undefined || found.length !== count)
    throw new Error(
      `${found.length} records of ${type}, not ${count}, among ${records.map((record) => record.type).join(', ')}`,
    );
  return last;
}

/** Returns the only exec of an executable. */
export function execOf(records: readonly SensorRecord[], path: string | Buffer): SensorRecord {
  const pathOf = ({ texts }: SensorRecord): string => texts['path']?.bytes.toString('latin1') ?? '';
  const execs = recordsOf(records, 'rf_exec');
  const [found, ...others] = execs.filter((exec) => pathOf(exec) === Buffer.from(path).toString('latin1'));
  if (found === undefined || others.length > 0)
    throw new Error(
      `${others.length + (found ? 1 : 0)} execs of ${path} among those of ${execs.map(pathOf).join(', ')}`,
    );
  return found;
}

export function recordsOf(records: readonly SensorRecord[], type: string): SensorRecord[] {
  return records.filter((record) => record.type === type);
}
export { groupIds, RecordReader, type SensorRecord } from './records.ts';
