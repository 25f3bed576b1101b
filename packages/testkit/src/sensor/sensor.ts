/** The sensor loaded and attached for a test, and what it saw of the programs that the test runs. */
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
  attachMethods,
  DROP_CAUSES,
  type DropCause,
  openFilter,
  SensorFailures,
  UNIX_SENT,
} from '@ringfence/sensor/parts';
import { cgroup2, LoadedSensor } from './loaded.ts';
import { RecordReader, type SensorRecord } from './records.ts';
import { prebuilt } from './scratch.ts';

export { cgroup2 } from './loaded.ts';
export { compileProgram, LIBRARIES, Scratch } from './scratch.ts';

export const SECURITY = 0;
export const BULK = 1;
/** prefixes are looked for under every directory of the root */
const ALL_HEADS = [0xffff_ffff, 0xffff_ffff];
/** looks at the sequences without a change, 50 ms apart, until a detached sensor is taken to be still */
const STILL_LOOKS = 10;
/** In a guest tests see what the agent would there, unless test/kernels/ asks for the baseline. */
const seesFull = prebuilt !== undefined && process.env['RINGFENCE_TEST_PROFILE'] !== 'baseline';

/** The path of the sensor's object, built when it must be. */
export async function sensorObject(): Promise<string> {
  return prebuilt === undefined ? await buildSensor() : join(prebuilt, 'ringfence.bpf.o');
}

let profile: FullProfile | undefined;

/** By the one way that test/kernels/ asks for, else by the best that this kernel has. */
export function fullProfile(path: string): FullProfile {
  const wanted = process.env['RINGFENCE_TEST_ATTACH_METHOD'];
  profile ??= FullProfile.probe(
    path,
    attachMethods.filter((method) => wanted === undefined || method === wanted),
  );
  return profile;
}

/** `source_caller` of what the baseline has from the caller's memory, and the full profile, which tests see in a guest, from the kernel. */
export async function callerUnlessFull(): Promise<0 | 1> {
  return seesFull && fullProfile(await sensorObject()).programs.size > 0 ? 0 : 1;
}

/** Whether datagrams to unix sockets are told by the kernel's function that sends them: each with its name, however it was sent. */
export async function seesUnixSent(): Promise<boolean> {
  return seesFull && fullProfile(await sensorObject()).programs.has(UNIX_SENT);
}

function systemCallsHere(path: string): 'functions' | 'tracepoints' {
  return seesFull && fullProfile(path).tracepointReason === undefined ? 'functions' : 'tracepoints';
}

/** For `test(..., { skip })`: false where the sensor can be tested, else why not. */
export const skip: string | false = whyNot() ?? false;

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'loading the sensor needs root';
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'the kernel has no BTF';
  if (cgroup2() === undefined) return 'cgroup2 is not mounted';
  if (!existsSync('/sys/kernel/tracing/events/syscalls')) return 'tracefs is not mounted at /sys/kernel/tracing';
  return undefined;
}

/** For tests that change the machine: false in a guest of packages/testkit, whose kernel was told at its start that it is one; else why not. */
export const skipOutsideGuest: string | false = readFileSync('/proc/cmdline', 'utf8').includes(' ringfence.guest')
  ? false
  : 'it would change this machine: npm run test:kernels does it in a guest';

/** For tests of what was built, whatever the kernel: false where it was built, else why not. */
export const skipInGuest: string | false =
  prebuilt === undefined ? false : 'it is about what was built, and the same on every kernel';

/** For tests that need a user namespace of their own: false, or why there is none. In a chroot the kernel gives nobody one. */
export const skipUserNamespaces: string | false =
  spawnSync('unshare', ['--user', 'true']).status === 0 ? false : 'unshare --user is refused here';

export interface SensorOptions {
  /** bytes. @default 1 MiB */
  readonly bulkRing?: number;
  /** entries of maps, by name. @default the sensor's own */
  readonly sizes?: Readonly<Record<string, number>>;
  /** with the programs of the full profile. @default in a guest true, elsewhere false */
  readonly full?: boolean;
  /** in a guest, with the programs for what seccomp refuses, which take as long to load as all others. @default false */
  readonly refusals?: boolean;
  /** attached now, not when an earlier test was run in this process. @default false */
  readonly fresh?: boolean;
  /** @default in a guest as the agent would see them there, elsewhere at tracepoints, which every kernel has */
  readonly systemCalls?: 'functions' | 'tracepoints';
}

export type Counters = { readonly sequence: bigint } & { readonly [drop in DropCause]: bigint };

export class TestSensor implements Disposable {
  readonly object: BpfObject;
  readonly #loaded: LoadedSensor;
  readonly rings: readonly [RingBuffer, RingBuffer];
  readonly records: SensorRecord[] = [];
  readonly reader: RecordReader;
  /** programs whose hook this kernel doesn't have */
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
    const { full = seesFull, fresh = false, bulkRing = 1 << 20, sizes = {}, refusals = false } = options;
    const systemCalls = options.systemCalls ?? systemCallsHere(path);
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
    share_interval?: bigint;
    share_burst?: bigint;
    share_from?: [number, number];
  }): void {
    this.object.globals['rf_control'] = { watched_heads: ALL_HEADS, ...settings };
  }

  watch(prefix: string, map = 'rf_watched'): void {
    const path = Buffer.alloc(256);
    const length = path.write(prefix);
    this.object.map(map).set({ prefixlen: length * 8, path }, 1);
  }

  watchName(last: string, map = 'rf_names'): void {
    const name = Buffer.alloc(32);
    name.write(last.slice(-32));
    this.object.map(map).set({ name }, 1);
  }

  /** Which hashes nothing that is watched has; at the start none is said to be without. */
  get hashes(): { readonly unwatched: Uint8Array; readonly unnamed: Uint8Array } {
    const bss = this.object.section('.bss');
    return { unwatched: bss.bytes('rf_unwatched'), unnamed: bss.bytes('rf_unnamed') };
  }

  watchExecutable(last: string): void {
    this.watchName(last, 'rf_executables');
  }

  /** All CPUs of a lane added up. */
  counters(lane: number): Counters {
    const sum: Record<string, bigint> = { sequence: 0n };
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      sum['sequence'] = (sum['sequence'] ?? 0n) + this.sequence(lane, cpu);
      const drops = this.#account.drops(lane, cpu);
      for (const drop of DROP_CAUSES) sum[drop] = (sum[drop] ?? 0n) + BigInt(drops[drop] ?? 0);
    }
    return sum as Counters;
  }

  /** The number that the lane's last record on that CPU took, lost or not. */
  sequence(lane: number, cpu: number): bigint {
    return BigInt(this.#account.sequence(lane, cpu));
  }

  /** Where the events of each kind went. */
  account(): KindAccount[] {
    return this.#account.kinds();
  }

  /**
   * Leaves the hooks and takes over what comes until nothing more does: the kernel takes them away a moment after their pins are gone. Afterwards the
   * account has nothing under way.
   */
  async finish(): Promise<void> {
    this.#loaded.leave();
    const sequences = (): string => `${this.counters(SECURITY).sequence} ${this.counters(BULK).sequence}`;
    for (let before = sequences(), still = 0; still < STILL_LOOKS; still++) {
      await sleep(50);
      this.drain();
      if (sequences() === before) continue;
      before = sequences();
      still = -1;
    }
  }

  /** Takes over what has come since, what stands behind a record that another CPU has yet to finish too. */
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

  /** Runs a program to its end; returns what it and its children did, for which the rings have room. The first record is the fork that made it. */
  async run(file: string, args: readonly string[] = [], options: SpawnOptions = {}): Promise<SensorRecord[]> {
    this.drain();
    const child = spawn(file, args, { stdio: 'ignore', ...options });
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return this.of(child);
  }

  of(child: ChildProcess): SensorRecord[] {
    this.drain();
    const family = new Set([child.pid]);
    const byTime = this.records.toSorted((a, b) => Number(a.header.ktime - b.header.ktime));
    return byTime.filter(({ type, header, fields }) => {
      if (type === 'rf_fork' && family.has(fields['parent_tgid'] as number)) family.add(header.tgid);
      return family.has(header.tgid);
    });
  }

  /** The processes that run, or one of them. */
  snapshot(tgid?: number): SensorRecord[] {
    using link = this.object.program('snapshot').attachIterator(tgid === undefined ? {} : { tgid });
    using iterator = link.iterate();
    return this.reader.readAll(SECURITY, iterator.readAll());
  }

  /** As an agent does that starts late. */
  adopt(): void {
    using link = this.object.program('adopt_sockets').attachIterator();
    for (let round = 0; round < 2; round++) {
      using iterator = link.iterate();
      iterator.readAll();
    }
  }

  [Symbol.dispose](): void {
    this.#account[Symbol.dispose]();
    this.failures[Symbol.dispose]();
    for (const ring of this.rings) ring[Symbol.dispose]();
    this.#loaded[Symbol.dispose]();
  }
}

/** The only one of its kind. */
export function one(records: readonly SensorRecord[], type: string): SensorRecord {
  const found = records.filter((record) => record.type === type);
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${found.length} records of ${type} among ${records.map((record) => record.type).join(', ')}`);
  return found[0];
}

export function all(records: readonly SensorRecord[], type: string): SensorRecord[] {
  return records.filter((record) => record.type === type);
}
export { groupIds, RecordReader, type SensorRecord } from './records.ts';
