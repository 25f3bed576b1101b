/** The sensor loaded and attached for a test, and what it saw of the programs that the test runs. */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BpfLink, BpfObject, type BpfProgram, isBpfFileSystem, type RingBuffer } from '@ringfence/libbpf-ts';
import {
  Counters as Account,
  DROP_CAUSES,
  type DropCause,
  type KindAccount,
} from '../../../services/collector/src/sensor/counters.ts';
import { Failures } from '../../../services/collector/src/sensor/failures.ts';
import { FullProfile, ways } from '../../../services/collector/src/sensor/full.ts';
import { isProbe } from '../../../services/collector/src/sensor/probes.ts';
import { loadRefusals, REFUSED } from '../../../services/collector/src/sensor/refusals.ts';
import { sizeForCpus } from '../../../services/collector/src/sensor/sizes.ts';
import { traceFunctions } from '../../../services/collector/src/sensor/syscalls.ts';
import { buildSensor } from '../../../tools/build-sensor.ts';
import { RecordReader, type SensorRecord } from './records.ts';

export const SECURITY = 0;
export const BULK = 1;
const BPF_FS = '/sys/fs/bpf';
/** prefixes are looked for under every directory of the root */
const ALL_HEADS = [0xffff_ffff, 0xffff_ffff];
/** looks at the sequences without a change, 50 ms apart, until a detached sensor is taken to be still */
const STILL_LOOKS = 10;
const programs = join(import.meta.dirname, '../programs');
/** In a guest with another kernel there is no compiler: what test/kernels/ built is there. */
const prebuilt = process.env['RINGFENCE_TEST_PREBUILT'];

/** The path of the sensor's object, built when it must be. */
export async function sensorObject(): Promise<string> {
  return prebuilt === undefined ? await buildSensor() : join(prebuilt, 'ringfence.bpf.o');
}

let profile: FullProfile | undefined;

/** By the one way that test/kernels/ asks for, else by the best that this kernel has. */
export function fullProfile(path: string): FullProfile {
  const wanted = process.env['RINGFENCE_TEST_WAY'];
  profile ??= FullProfile.probe(path, wanted === undefined ? ways : ways.filter((way) => way === wanted));
  return profile;
}

/** `source_caller` of what the baseline has from the caller's memory, and the full profile, which tests see in a guest, from the kernel. */
export async function callerUnlessFull(): Promise<0 | 1> {
  return prebuilt !== undefined && fullProfile(await sensorObject()).programs.size > 0 ? 0 : 1;
}

function systemCallsHere(path: string): 'functions' | 'tracepoints' {
  return prebuilt !== undefined && fullProfile(path).onTracepoints === undefined ? 'functions' : 'tracepoints';
}

/** Programs that need a library's headers, which not every machine has. */
export const LIBRARIES: Readonly<Record<string, readonly string[]>> = { tls: ['-lssl', '-lcrypto'] };

/** Compiles test/kernel/programs/NAME.c. */
export function compileProgram(name: string, output: string): void {
  if (prebuilt !== undefined) copyFileSync(join(prebuilt, name), output);
  else execFileSync('cc', ['-O1', '-pthread', '-o', output, join(programs, `${name}.c`), ...(LIBRARIES[name] ?? [])]);
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

/** For tests that need a user namespace of their own: false, or why there is none. In a chroot the kernel gives nobody one. */
export const skipUserNamespaces: string | false =
  spawnSync('unshare', ['--user', 'true']).status === 0 ? false : 'unshare --user is refused here';

/** Where cgroup v2 is mounted: on hybrid machines not at /sys/fs/cgroup. */
export function cgroup2(): string | undefined {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')).find((fields) => fields[2] === 'cgroup2')?.[1];
}

/** Tracepoints come and go with the kernel's version and configuration. */
function kernelHas(section: string): boolean {
  const [kind, ...place] = section.split('/');
  const events = '/sys/kernel/tracing/events';
  if (kind === 'tracepoint') return existsSync(join(events, ...place));
  if (kind !== 'raw_tp') return true;
  return readdirSync(events).some((group) => existsSync(join(events, group, place.join('/'))));
}

/** A directory of this test's own, removed with all in it, however deep. */
export class Scratch implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ringfence-sensor-'));

  /** Compiles test/kernel/programs/NAME.c. */
  compile(name: string): string {
    const output = join(this.path, name);
    compileProgram(name, output);
    return output;
  }

  [Symbol.dispose](): void {
    // rm goes down directory by directory; a path as long as the ones made here fits into no system call
    execFileSync('rm', ['-rf', this.path]);
  }
}

export interface SensorOptions {
  /** bytes. @default 1 MiB */
  readonly bulkRing?: number;
  /** entries of maps, by name. @default the sensor's own */
  readonly sizes?: Readonly<Record<string, number>>;
  /** with the programs of the full profile. @default in a guest true, elsewhere false */
  readonly full?: boolean;
  /** in a guest, with the programs for what seccomp refuses, which take as long to load as all others. @default false */
  readonly refusals?: boolean;
  /** @default in a guest as the agent would see them there, elsewhere at tracepoints, which every kernel has */
  readonly systemCalls?: 'functions' | 'tracepoints';
}

export type Counters = { readonly sequence: bigint } & { readonly [drop in DropCause]: bigint };

function open(path: string, { bulkRing = 1 << 20, sizes = {} }: SensorOptions, full: ReadonlySet<string>): BpfObject {
  const object = BpfObject.open(path);
  object.definition('rf_ring_security').resize(1 << 20);
  object.definition('rf_ring_bulk').resize(bulkRing);
  sizeForCpus(object);
  for (const [map, entries] of Object.entries(sizes)) object.definition(map).resize(entries);
  for (const name of full) object.program(name).autoload = true;
  object.globals['rf_full'] = full.size > 0;
  return object;
}

function pinMaps(object: BpfObject, directory: string): BpfObject {
  for (const definition of object.definitions.values()) definition.pinAt(`${directory}/${definition.name}`);
  object.section('.bss').pinAt(`${directory}/rf_bss`);
  return object;
}

export class TestSensor implements Disposable {
  readonly object: BpfObject;
  readonly rings: readonly [RingBuffer, RingBuffer];
  readonly records: SensorRecord[] = [];
  readonly reader: RecordReader;
  /** programs whose hook this kernel doesn't have */
  readonly missing: Set<string> = new Set();
  readonly #hooks: BpfLink[] = [];
  readonly #account: Account;
  readonly failures: Failures;
  readonly #cpus: number;
  #refusals: BpfObject | undefined;

  private constructor(path: string, options: SensorOptions, full: ReadonlySet<string>) {
    this.object = open(path, options, full);
    const { object } = this;
    if ((options.systemCalls ?? systemCallsHere(path)) === 'functions')
      this.#loadFunctions(options.refusals ? () => open(path, options, full) : undefined);
    else object.load();
    if (object.btf === undefined) throw new Error('the sensor has no BTF');
    this.reader = new RecordReader(object.btf);
    this.#account = new Account(object.map('rf_counters'));
    this.failures = new Failures(object);
    this.#cpus = object.map('rf_counters').info.maxEntries;
    this.rings = [object.map('rf_ring_security').ringBuffer(), object.map('rf_ring_bulk').ringBuffer()];
    for (const program of object.programs.values()) if (program.loaded) this.#attach(program);
  }

  /** The sensor's programs around the kernel's functions, and those for what seccomp refuses, which share its maps by pins of a moment. */
  #loadFunctions(again: (() => BpfObject) | undefined): void {
    const { object } = this;
    if (again === undefined) {
      for (const name of traceFunctions(object)) this.missing.add(name);
      object.load();
      return;
    }
    const pins = mkdtempSync(`${BPF_FS}/rf-test-${process.pid}-maps-`);
    try {
      pinMaps(object, pins);
      for (const name of traceFunctions(object)) this.missing.add(name);
      object.load();
      const refusals = loadRefusals(() => pinMaps(again(), pins));
      if (typeof refusals === 'string') throw new Error(`the programs for refused calls can't be loaded: ${refusals}`);
      this.#refusals = refusals;
      this.#hooks.push(refusals.program(REFUSED).attach());
    } finally {
      rmSync(pins, { recursive: true });
    }
  }

  /** Only what this kernel has no place for may be missing. */
  #attach(program: BpfProgram): void {
    const { name, section } = program;
    if (!kernelHas(section)) this.missing.add(name);
    else if (section === 'syscall' || isProbe(section))
      return; // run by itself, on demand
    else if (/^cgroup(_skb)?\//.test(section)) this.#hooks.push(program.attachCgroup(cgroup2() ?? ''));
    else this.#hooks.push(program.attach());
  }

  static async start(options: SensorOptions = {}): Promise<TestSensor> {
    const path = await sensorObject();
    const { full = prebuilt !== undefined } = options;
    return new TestSensor(path, options, full ? fullProfile(path).programs : new Set());
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
      for (const [index, drop] of DROP_CAUSES.entries())
        sum[drop] = (sum[drop] ?? 0n) + BigInt(this.#account.drops(lane, cpu, index));
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
    this.#leave();
    const sequences = (): string => `${this.counters(SECURITY).sequence} ${this.counters(BULK).sequence}`;
    for (let before = sequences(), still = 0; still < STILL_LOOKS; still++) {
      await sleep(50);
      this.drain();
      if (sequences() === before) continue;
      before = sequences();
      still = -1;
    }
  }

  /** Takes over what has come since. */
  drain(): void {
    for (const [lane, ring] of this.rings.entries()) {
      ring.begin();
      while (ring.next()) {
        const bytes = Buffer.from(ring.bytes.subarray(ring.offset, ring.offset + ring.length));
        this.records.push(this.reader.read(lane, bytes));
      }
      ring.release();
    }
  }

  /** Runs a program to its end; returns what it and its children did. The first record is the fork that made it. */
  async run(file: string, args: readonly string[] = [], options: SpawnOptions = {}): Promise<SensorRecord[]> {
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
    this.#leave();
    this.#refusals?.[Symbol.dispose]();
    this.object[Symbol.dispose]();
  }

  /** A hundred hooks that are left one by one take seconds; what pins are removed of, the kernel takes away by itself. */
  #leave(): void {
    const hooks = this.#hooks.splice(0);
    const directory = isBpfFileSystem(BPF_FS) ? mkdtempSync(`${BPF_FS}/rf-test-${process.pid}-sensor-`) : undefined;
    if (directory !== undefined) for (const [index, link] of hooks.entries()) link.pin(`${directory}/${index}`);
    for (const link of hooks) link[Symbol.dispose]();
    if (directory !== undefined) rmSync(directory, { recursive: true });
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
