import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import type { Log } from '@ringfence/base';
import { BpfError, type BpfLink, BpfMap, type BpfObject, PinnedProgram, type RingBuffer } from '@ringfence/libbpf-ts';
import { ASKED_HOOKS, AskedHooks } from './asked-hooks.ts';
import { ControlBlock } from './control-block.ts';
import { Counters } from './counters.ts';
import { CUSTOM_PROGRAMS, CustomProbes } from './custom-probes/custom-probes.ts';
import type { ProbeSpec } from './custom-probes/types.ts';
import { SensorError } from './errors.ts';
import { Failures } from './failures.ts';
import { InterestTable } from './interest-table.ts';
import { lockDirectory } from './lock.ts';
import { isAbsent, logMissingHooks, type MissingHook, NO_SYSTEM_CALL } from './missing-hooks.ts';
import { ADOPT, LIFECYCLE, loadObject, SNAPSHOT, STAND_INS } from './object.ts';
import {
  isPinned,
  linkPath,
  pinnedHooks,
  pinnedLinks,
  pinnedPrograms,
  probePath,
  programOfPin,
  programPath,
  removeLinks,
  removePinDirectory,
  removePins,
  removeProbes,
  ringPath,
  sparePath,
} from './pins.ts';
import {
  absentFiles,
  isProbe,
  type Place,
  type ProbeOptions,
  probePlaces,
  setProbes,
  wantedPrograms,
} from './probes.ts';
import { factsOf, type ProcessFacts, readProcesses, type Snapshot } from './processes.ts';
import { REFUSED } from './refusals.ts';
import { RunState } from './run.ts';
import { Scopes } from './scopes.ts';
import { damagedHooks, noteLink, TamperingLog } from './tampering.ts';
import { nameKey, prefixKey, WatchedTexts } from './watched.ts';

/** More than RF_RECORD_MAX of ringfence.h. */
const RECORD_MAX_BYTES = 64 * 1024;

/** struct rf_cgroup_made */
interface MadeValue {
  readonly ktime: bigint;
  readonly length: number;
  readonly path: Uint8Array;
}

/** Path and time of a cgroup's creation, as the sensor recorded them. */
export interface CgroupMade {
  readonly path: string;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
}

export interface SensorOptions {
  /** the compiled sensor */
  readonly sensorObject: string;
  /** directory under a bpf file system for pinned maps and links */
  readonly pinPath: string;
  /** bytes, a power of two */
  readonly ringSecurityBytes: number;
  /** bytes, a power of two */
  readonly ringBulkBytes: number;
  /** which user-space probes are attached */
  readonly probes: ProbeOptions;
  /** root of the host's file system */
  readonly hostRoot: string;
  /** cgroup v2 root, where cgroup hooks attach; null leaves these hooks out */
  readonly cgroupRoot: string | null;
  /** @default none */
  readonly customProbes?: readonly ProbeSpec[];
}

/** The sensor in the kernel, as the agent holds it. */
export class Sensor implements Disposable {
  readonly run: RunState;
  /** an earlier agent's programs run already, and what they saw since is in the rings */
  readonly resumed: boolean;
  readonly security: RingBuffer;
  readonly bulk: RingBuffer;
  readonly counters: Counters;
  readonly failures: Failures;
  readonly control: ControlBlock;
  /** what was held back, by struct rf_throttled_key */
  readonly throttled: BpfMap;
  /** what is done to the agent */
  readonly tampering: TamperingLog;
  /** path prefixes and file names whose opens leave the kernel, and names of executables that all opens of do */
  readonly watched: {
    readonly prefixes: WatchedTexts;
    readonly names: WatchedTexts;
    readonly executables: WatchedTexts;
    /** beside the first two, for changes of files alone */
    readonly changedPrefixes: WatchedTexts;
    readonly changedNames: WatchedTexts;
  };
  /** rf_unwatched, rf_unnamed: which hashes no prefix, no name has */
  readonly hashes: { readonly unwatched: Uint8Array; readonly unnamed: Uint8Array };
  readonly interests: InterestTable;
  readonly scopes: Scopes;
  readonly asked: AskedHooks;
  /** hooks that aren't in place */
  readonly missing: Map<string, MissingHook>;
  /** hooks of the full profile that this kernel has; of a sensor that was taken over they aren't known */
  readonly full: ReadonlySet<string>;
  /** why system calls are seen at tracepoints; undefined: at the kernel's functions, or the sensor was taken over */
  readonly onTracepoints: string | undefined;
  readonly #options: SensorOptions;
  readonly #object: BpfObject;
  readonly #refusals: BpfObject | undefined;
  readonly #stack: DisposableStack;

  private constructor(
    options: SensorOptions,
    stack: DisposableStack,
    run: RunState,
    loaded: ReturnType<typeof loadObject>,
    resumed: boolean,
  ) {
    const { object } = loaded;
    this.#options = options;
    this.#object = object;
    this.#refusals = loaded.refusals && stack.use(loaded.refusals);
    this.run = run;
    this.resumed = resumed;
    this.missing = new Map([...loaded.refused].map(([name, reason]) => [name, { reason, absent: false }]));
    for (const name of loaded.absent) this.missing.set(name, { reason: NO_SYSTEM_CALL, absent: true });
    this.full = loaded.full;
    this.onTracepoints = loaded.onTracepoints;
    this.security = stack.use(object.map('rf_ring_security').ringBuffer({ recordMaxBytes: RECORD_MAX_BYTES }));
    this.bulk = stack.use(object.map('rf_ring_bulk').ringBuffer({ recordMaxBytes: RECORD_MAX_BYTES }));
    this.counters = stack.use(new Counters(object.map('rf_counters')));
    this.tampering = stack.use(new TamperingLog(object.map('rf_tamperings'), run));
    this.failures = stack.use(new Failures(object));
    const bss = object.section('.bss');
    this.hashes = { unwatched: bss.bytes('rf_unwatched'), unnamed: bss.bytes('rf_unnamed') };
    this.control = new ControlBlock(bss.int32('rf_control'));
    this.throttled = object.map('rf_throttled');
    this.interests = new InterestTable(bss.bytes('rf_interests'), bss.bytes('rf_interest_ports'), this.control);
    this.scopes = new Scopes(object.map('rf_scopes') as BpfMap<bigint, number>);
    this.watched = {
      prefixes: new WatchedTexts(object.map('rf_watched'), prefixKey),
      names: new WatchedTexts(object.map('rf_names'), nameKey),
      executables: new WatchedTexts(object.map('rf_executables'), nameKey),
      changedPrefixes: new WatchedTexts(object.map('rf_changed'), prefixKey),
      changedNames: new WatchedTexts(object.map('rf_changed_names'), nameKey),
    };
    const { pinPath } = options;
    const ownLinks = object.map('rf_own_links');
    const attach = (name: string): BpfLink => this.#attach(name);
    this.asked = new AskedHooks({ pinPath, ownLinks, missing: this.missing, attach }, resumed);
    this.#stack = stack.move();
  }

  /** Takes over what is pinned when it is this very sensor, else replaces it. Nothing is attached yet. Throws SensorError. */
  static open(options: SensorOptions): Sensor {
    const { pinPath, sensorObject } = options;
    const hash = hashOf(sensorObject);
    if (isResumable(options)) return Sensor.#load(options, RunState.open(pinPath), true);
    removePins(pinPath);
    try {
      return Sensor.#load(options, RunState.create(pinPath, hash), false);
    } catch (error) {
      removePinDirectory(pinPath);
      throw error;
    }
  }

  static #load(options: SensorOptions, run: RunState, resumed: boolean): Sensor {
    using stack = new DisposableStack();
    stack.use(run);
    const loaded = loadObject({
      ...options,
      path: options.sensorObject,
      programs: !resumed,
      functions: run.functions,
      probes: wanted(options),
    });
    stack.use(loaded.object);
    if (!resumed) run.functions = loaded.onTracepoints === undefined;
    return new Sensor(options, stack, run, loaded, resumed);
  }

  /** fork, exec, exit: before the running processes are read. */
  attachLifecycle(): void {
    for (const name of LIFECYCLE) this.#attach(name);
  }

  /** Everything else. A hook that this kernel doesn't have is left out and named in `missing`. */
  attachOthers(): void {
    for (const { name, section, loaded } of this.#object.programs.values()) {
      if (!loaded || section.startsWith('iter/') || LIFECYCLE.includes(name) || isProbe(section)) continue;
      if (ASKED_HOOKS.has(name)) continue;
      const absent = STAND_INS.get(name);
      if (absent !== undefined && this.#object.program(absent).loaded && !this.missing.has(absent)) continue;
      try {
        this.#attach(name);
        if (absent !== undefined) this.missing.delete(absent);
      } catch (error) {
        if (!(error instanceof SensorError)) throw error;
        this.asked.failed(name, error);
      }
    }
    this.asked.begin();
    this.#attachRefusals();
    this.run.hooks = pinnedHooks(this.#options.pinPath).length;
  }

  /** The pins keep them. */
  #attachRefusals(): void {
    if (this.#refusals === undefined) return;
    try {
      this.#attach(REFUSED, this.#refusals);
    } catch (error) {
      if (!(error instanceof SensorError)) throw error;
      this.missing.set(REFUSED, { reason: error.message, absent: error.absent });
    }
    this.#refusals[Symbol.dispose]();
  }

  /** Finds the owners of sockets that are older than the sensor; after `attachOthers`, so that none falls between. */
  adoptSockets(): void {
    const program = this.#object.program(ADOPT);
    if (!program.loaded) return; // named in `missing`
    using link = program.attachIterator();
    for (let round = 0; round < 2; round++) {
      using iterator = link.iterate();
      iterator.readAll();
    }
  }

  /** Sets the probes in what this host has of the files. One that can't be set is named in `missing`. */
  attachProbes(): { readonly probed: readonly string[]; readonly absent: readonly string[] } {
    const { pinPath, probes, hostRoot } = this.#options;
    removeProbes(pinPath);
    const places = probePlaces(probes, hostRoot);
    const probed = places.filter((place, number) => this.#attachProbe(place, number)).map(({ path }) => path);
    return { probed, absent: absentFiles(probes, places) };
  }

  /** Those of users; not set yet. */
  customProbes(log: Log): CustomProbes {
    const { pinPath, hostRoot, customProbes = [] } = this.#options;
    return new CustomProbes(customProbes, { object: this.#object, pinPath, hostRoot, log });
  }

  #attachProbe(place: Place, file: number): boolean {
    try {
      const set = setProbes(this.#object, place);
      for (const [index, { program, link }] of set.entries())
        link.pin(probePath(this.#options.pinPath, program, `${file}_${index}`));
      return set.length > 0;
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      const reason = error.message.split('\n')[0] ?? '';
      this.missing.set(`probe of ${place.path}`, { reason, absent: false });
      return false;
    }
  }

  /** When all hooks are in place: pins the programs that aren't, and forgets those of an earlier agent that no hook runs. */
  pinPrograms(): void {
    const { pinPath } = this.#options;
    for (const pin of pinnedPrograms(pinPath))
      if (!isPinned(linkPath(pinPath, programOfPin(pin)))) rmSync(`${pinPath}/${pin}`);
    for (const program of this.#object.programs.values()) {
      if (!program.loaded) continue;
      const path = programPath(pinPath, program.name);
      if (!isPinned(path)) program.pin(path);
      else if (idOf(path) !== program.id) program.pin(sparePath(pinPath, program.name));
    }
  }

  #attach(name: string, object: BpfObject = this.#object): BpfLink {
    const program = object.program(name);
    const { pinPath } = this.#options;
    let link: BpfLink | undefined;
    try {
      link = /^cgroup(_skb)?\//.test(program.section) ? this.#attachCgroup(name) : program.attach();
      for (const path of [programPath(pinPath, name), sparePath(pinPath, name)]) rmSync(path, { force: true });
      program.pin(programPath(pinPath, name));
      link.pin(linkPath(pinPath, name));
      noteLink(this.#object.map('rf_own_links'), link.id, name);
      return link;
    } catch (cause) {
      if (link !== undefined) leave(link);
      const [why] = (cause as Error).message.split('\n'); // below it stands what libbpf says, for each of its attempts
      const { errnoName } = cause as { readonly errnoName?: string };
      const absent = isAbsent(program.section, errnoName);
      throw new SensorError(`the hook ${name} can't be attached: ${why}`, { cause, absent });
    }
  }

  #attachCgroup(name: string): BpfLink {
    const root = this.#options.cgroupRoot;
    if (root === null) throw new SensorError('no cgroup v2 hierarchy is mounted');
    return this.#object.program(name).attachCgroup(root);
  }

  /** Hooks in place. */
  get hooks(): number {
    return pinnedLinks(this.#options.pinPath).length;
  }

  /** Logs the hooks that are missing. */
  logMissing(log: Log): void {
    logMissingHooks(this.missing, (name) => this.#object.programs.get(name)?.section ?? name, log);
  }

  /** The processes that run. */
  processes(): Snapshot {
    return readProcesses(this.#object.program(SNAPSHOT));
  }

  process(tgid: number): ProcessFacts | null {
    const found = readProcesses(this.#object.program(SNAPSHOT), { tgid });
    const [at] = found.offsets;
    return at === undefined ? null : factsOf(found, at);
  }

  /** Where and when a cgroup was made, which may be gone; null: before the sensor, or too long ago. */
  cgroupMade(id: bigint): CgroupMade | null {
    const made = this.#object.map('rf_cgroups').get(id) as unknown as MadeValue | undefined;
    if (made === undefined || made.length >= made.path.length) return null;
    const path = Buffer.from(made.path).toString('utf8', 0, made.length);
    return { path, ktime: Number(made.ktime / 1000n) };
  }

  /** Leaves every hook: from here on nothing new is written to the rings. */
  detach(): void {
    this.run.hooks = 0;
    for (const link of this.#object.links) link[Symbol.dispose]();
    removeLinks(this.#options.pinPath);
  }

  /** Removes what `detach` left, so that nothing of the sensor stays in the kernel. */
  uninstall(): void {
    this.detach();
    removePinDirectory(this.#options.pinPath);
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** Attached in part it would tell of everything twice once it is tried again. */
function leave(link: BpfLink): void {
  const { pinPath } = link;
  link[Symbol.dispose]();
  if (pinPath !== null) rmSync(pinPath, { force: true });
}

const wanted = ({ probes, customProbes = [] }: SensorOptions): ReadonlySet<string> =>
  new Set([...wantedPrograms(probes), ...(customProbes.length > 0 ? CUSTOM_PROGRAMS : [])]);

function idOf(pinnedProgram: string): number {
  using program = PinnedProgram.open(pinnedProgram);
  return program.id;
}

/** Takes a dead agent's sensor out of the kernel. Throws SecondAgentError when an agent runs. */
export function uninstallSensor(pinPath: string): void {
  if (!isPinned(pinPath)) return;
  using _lock = lockDirectory(pinPath);
  removePinDirectory(pinPath);
}

function hashOf(path: string): bigint {
  try {
    return createHash('sha256').update(readFileSync(path)).digest().readBigUInt64LE();
  } catch (cause) {
    throw new SensorError(`the sensor ${path} can't be read: ${(cause as Error).message}; build it with "npm start"`, {
      cause,
    });
  }
}

/** The programs that are pinned are this very sensor's, all attached still, and its rings have the size that is wanted. */
export function isResumable(options: SensorOptions): boolean {
  const { pinPath, sensorObject, ringSecurityBytes, ringBulkBytes } = options;
  if (!isPinned(RunState.path(pinPath))) return false;
  using state = RunState.open(pinPath);
  if (state.hooks === 0 || damagedHooks(pinPath).length > 0 || state.object !== hashOf(sensorObject)) return false;
  return ringBytes(pinPath, 'security') === ringSecurityBytes && ringBytes(pinPath, 'bulk') === ringBulkBytes;
}

/** 0: somebody has taken it away. */
function ringBytes(pinPath: string, lane: 'security' | 'bulk'): number {
  if (!isPinned(ringPath(pinPath, lane))) return 0;
  using map = BpfMap.openPinnedBytes(ringPath(pinPath, lane));
  return map.info.maxEntries;
}
