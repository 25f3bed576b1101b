/** Loads and attaches the sensor's object for a test. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BpfLink,
  BpfLoadError,
  type BpfMap,
  BpfObject,
  type BpfProgram,
  isBpfFileSystem,
  type MapDefinition,
} from '@ringfence/libbpf-ts';
import { isProbe, sizeForCpus } from '@ringfence/sensor';
import { DOOMED_CALL, loadRefusals, REFUSED, STAND_INS, setFullProfile, traceFunctions } from '@ringfence/sensor/parts';

export const BPF_FS = '/sys/fs/bpf';

export interface LoadOptions {
  /** names of the full profile's programs to load */
  readonly full: ReadonlySet<string>;
  readonly systemCalls: 'functions' | 'tracepoints';
  readonly refusals: boolean;
  /** attach now instead of reusing a kept sensor, so that the sensor does not know what existed before */
  readonly fresh: boolean;
  /** bytes */
  readonly bulkRing: number;
  /** entries by map */
  readonly sizes: Readonly<Record<string, number>>;
}

/**
 * Keep the sensor for the following test files of this process. Verifying the programs and detaching their hooks takes
 * seconds, and half a minute each on an emulated machine.
 */
const KEEPS = process.env['RINGFENCE_TEST_KEEP'] !== undefined;
const COUNTERS = 'rf_counters';
const HASHES: ReadonlySet<string> = new Set(['hash', 'lru_hash', 'lpm_trie']);
/** Maps that are written for each event. */
const SCRATCH = /^rf_(scratch_|kernel_page$)/;

/** Returns where cgroup v2 is mounted: on hybrid machines not at /sys/fs/cgroup. */
export function cgroup2(): string | undefined {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')).find((fields) => fields[2] === 'cgroup2')?.[1];
}

/** Whether the kernel has a tracepoint, which depends on its version and configuration. */
function kernelHas(section: string): boolean {
  const [kind, ...place] = section.split('/');
  const events = '/sys/kernel/tracing/events';
  if (kind === 'tracepoint') return existsSync(join(events, ...place));
  if (kind !== 'raw_tp') return true;
  return readdirSync(events).some((group) => existsSync(join(events, group, place.join('/'))));
}

function open(path: string, { bulkRing, sizes, full }: LoadOptions): BpfObject {
  const object = BpfObject.open(path);
  object.definition('rf_ring_security').resize(1 << 24);
  object.definition('rf_ring_bulk').resize(bulkRing);
  sizeForCpus(object);
  for (const [map, entries] of Object.entries(sizes)) object.definition(map).resize(entries);
  for (const name of full) object.program(name).autoload = true;
  setFullProfile(object, full);
  return object;
}

function pinMaps(object: BpfObject, directory: string): BpfObject {
  for (const definition of object.definitions.values()) definition.pinAt(`${directory}/${definition.name}`);
  object.section('.bss').pinAt(`${directory}/rf_bss`);
  return object;
}

function empty(name: string, { type }: MapDefinition, map: BpfMap): void {
  if (HASHES.has(type)) map.deleteAll([...map.keys()]);
  if (type !== 'array' || SCRATCH.test(name)) return;
  const { key: keySize, value: valueSize } = map.sizes;
  const key = new Uint8Array(keySize);
  const value = new Uint8Array(valueSize);
  for (let index = 0; index < map.info.maxEntries; index++) {
    new DataView(key.buffer).setUint32(0, index, true);
    map.update(key, value);
  }
}

export class LoadedSensor implements Disposable {
  static #kept: { readonly key: string; readonly sensor: LoadedSensor } | undefined;
  readonly object: BpfObject;
  /** programs whose hook this kernel lacks */
  readonly missing: Set<string> = new Set();
  readonly #hooks: BpfLink[] = [];
  readonly #initial: Uint8Array;
  #refusals: BpfObject | undefined;
  #inUse = true;

  private constructor(path: string, options: LoadOptions) {
    const pins = options.refusals ? mkdtempSync(`${BPF_FS}/rf-test-${process.pid}-maps-`) : undefined;
    try {
      this.object = this.#load(path, options, pins);
      if (pins !== undefined) this.#loadRefusals(() => pinMaps(open(path, options), pins));
    } finally {
      if (pins !== undefined) rmSync(pins, { recursive: true });
    }
    this.#initial = this.#variables.slice();
    for (const program of this.object.programs.values()) if (program.loaded) this.#attach(program);
  }

  /** Loads all programs. The kernel may reject one that has a stand-in. */
  #load(path: string, options: LoadOptions, pins: string | undefined, rejected: readonly string[] = []): BpfObject {
    const object = open(path, options);
    if (pins !== undefined) pinMaps(object, pins);
    if (options.systemCalls === 'functions') for (const name of traceFunctions(object)) this.missing.add(name);
    for (const name of rejected) object.program(name).autoload = false;
    try {
      object.load();
      return object;
    } catch (error) {
      object[Symbol.dispose]();
      const program = error instanceof BpfLoadError ? (error.program ?? '') : '';
      if (rejected.includes(program) || ![...STAND_INS.values()].includes(program)) throw error;
      return this.#load(path, options, pins, [...rejected, program]);
    }
  }

  /** Returns a sensor as it is after loading, which may be the one of an earlier test. */
  static get(path: string, options: LoadOptions): LoadedSensor {
    const key = JSON.stringify({ ...options, full: [...options.full] });
    const kept = LoadedSensor.#kept;
    if (kept?.key === key && !kept.sensor.#inUse) return kept.sensor.#reset();
    const sensor = new LoadedSensor(path, options);
    // The hooks of a second kept sensor would remain attached beside the first.
    if (KEEPS && kept === undefined && !options.refusals && !options.fresh) LoadedSensor.#keep(key, sensor);
    return sensor;
  }

  static #keep(key: string, sensor: LoadedSensor): void {
    LoadedSensor.#kept = { key, sensor };
    process.once('exit', () => LoadedSensor.#kept?.sensor.detach());
  }

  #loadRefusals(again: () => BpfObject): void {
    const refusals = loadRefusals(again);
    if (typeof refusals === 'string') throw new Error(`the programs for refused calls can't be loaded: ${refusals}`);
    this.#refusals = refusals;
    this.#hooks.push(refusals.program(REFUSED).attach());
  }

  /** Whether the program is a stand-in for a hook that this kernel has. */
  #isNeedless(name: string): boolean {
    const hook = STAND_INS.get(name);
    if (hook === undefined) return false;
    const { loaded, section } = this.object.program(hook);
    return loaded && kernelHas(section);
  }

  /** Attaches a program. Only programs without a hook in this kernel may be missing. */
  #attach(program: BpfProgram): void {
    const { name, section } = program;
    if (this.#isNeedless(name) || name === DOOMED_CALL) return;
    if (!kernelHas(section)) this.missing.add(name);
    else if (section === 'syscall' || isProbe(section))
      return; // It is run on demand.
    else if (/^cgroup(_skb)?\//.test(section)) this.#hooks.push(program.attachCgroup(cgroup2() ?? ''));
    else this.#hooks.push(program.attach());
  }

  get #variables(): Uint8Array {
    const { buffer, byteOffset, byteLength } = this.object.section('.bss').view;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }

  /** Resets variables, maps and rings; the hooks stay attached. The storage of tasks can't be reset. */
  #reset(): this {
    this.#inUse = true;
    this.#variables.set(this.#initial);
    for (const [name, definition] of this.object.definitions)
      if (name !== COUNTERS) empty(name, definition, this.object.map(name));
    for (const name of ['rf_ring_security', 'rf_ring_bulk']) {
      using ring = this.object.map(name).ringBuffer();
      ring.begin();
      while (ring.next());
      ring.release();
    }
    // Last, because events that arrive meanwhile are counted and drained with the rings.
    empty(COUNTERS, this.object.definition(COUNTERS), this.object.map(COUNTERS));
    return this;
  }

  /**
   * Detaching about a hundred links one by one takes seconds. So pins them, closes them, and removes the pins: then the
   * kernel detaches them in the background.
   */
  detach(): void {
    if (LoadedSensor.#kept?.sensor === this) LoadedSensor.#kept = undefined;
    const hooks = this.#hooks.splice(0);
    const directory = isBpfFileSystem(BPF_FS) ? mkdtempSync(`${BPF_FS}/rf-test-${process.pid}-sensor-`) : undefined;
    if (directory !== undefined) for (const [index, link] of hooks.entries()) link.pin(`${directory}/${index}`);
    for (const link of hooks) link[Symbol.dispose]();
    if (directory !== undefined) rmSync(directory, { recursive: true });
  }

  [Symbol.dispose](): void {
    this.#inUse = false;
    if (LoadedSensor.#kept?.sensor === this) return;
    this.detach();
    this.#refusals?.[Symbol.dispose]();
    this.object[Symbol.dispose]();
  }
}
