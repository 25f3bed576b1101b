import type { Log } from '@ringfence/base';
import type { BpfMap, BpfObject, RingBuffer } from '@ringfence/libbpf-ts';
import { Counters } from './account/counters.ts';
import { SensorFailures } from './account/failures.ts';
import { Attachment } from './attach/attachment.ts';
import { CustomProbes } from './custom-probes/custom-probes.ts';
import { type FileKey, identifyFiles } from './filter/file-table.ts';
import { openFilter, type SensorFilter } from './filter/sensor-filter.ts';
import type { LoadedObject } from './load/load-object.ts';
import type { SensorOptions } from './options.ts';
import { removePinDirectory } from './pins/directory.ts';
import type { RunState } from './pins/run-state.ts';
import { CgroupMaps } from './processes/cgroup-maps.ts';
import { Dooms } from './processes/dooms.ts';
import { factsAt, type ProcessFacts, readProcesses, type Snapshot } from './processes/snapshot.ts';
import { DOOM_PROGRAMS, IDENTIFY, SNAPSHOT } from './programs.ts';
import { SelfCheck } from './tampering/self-check.ts';
import { TamperingLog } from './tampering/tampering-log.ts';

/** Larger than RF_RECORD_MAX of ringfence.h. */
const RECORD_MAX_BYTES = 64 * 1024;

export interface SensorParts {
  readonly options: SensorOptions;
  readonly loaded: LoadedObject;
  readonly run: RunState;
  readonly resumed: boolean;
}

/** The loaded sensor: its rings, counters, filter and hooks. Made by `openSensor`. */
export class Sensor implements Disposable {
  readonly run: RunState;
  /** true if an earlier agent's programs are still attached; the rings hold what they saw since that agent ended */
  readonly resumed: boolean;
  readonly rings: { readonly security: RingBuffer; readonly bulk: RingBuffer };
  readonly counters: Counters;
  readonly failures: SensorFailures;
  /** numbers of throttled events, by struct rf_throttled_key */
  readonly throttled: BpfMap;
  readonly tampering: TamperingLog;
  readonly filter: SensorFilter;
  readonly selfCheck: SelfCheck;
  readonly cgroups: CgroupMaps;
  /** null: the kernel rejected one of its programs. */
  readonly dooms: Dooms | null;
  readonly hooks: Attachment;
  readonly #options: SensorOptions;
  readonly #object: BpfObject;
  readonly #stack: DisposableStack;

  /** Takes ownership of the object and of the run state. */
  constructor({ options, loaded, run, resumed }: SensorParts) {
    const { object } = loaded;
    using stack = new DisposableStack();
    stack.use(run);
    stack.use(object);
    stack.use(loaded.refusals);
    const ring = (lane: string): RingBuffer =>
      stack.use(object.map(`rf_ring_${lane}`).ringBuffer({ recordMaxBytes: RECORD_MAX_BYTES }));
    this.run = run;
    this.resumed = resumed;
    this.rings = { security: ring('security'), bulk: ring('bulk') };
    this.counters = stack.use(new Counters(object.map('rf_counters')));
    this.tampering = stack.use(new TamperingLog(object.map('rf_tamperings'), run));
    this.failures = stack.use(new SensorFailures(object));
    this.throttled = object.map('rf_throttled');
    this.filter = openFilter(object);
    const { pinPath, cgroupRoot } = options;
    this.selfCheck = new SelfCheck({ object, filter: this.filter, log: this.tampering, run, pinPath, cgroupRoot });
    this.cgroups = new CgroupMaps(object);
    this.dooms = DOOM_PROGRAMS.every((name) => object.program(name).loaded) ? new Dooms(object) : null;
    this.hooks = new Attachment({ options, loaded, run, resumed });
    this.#options = options;
    this.#object = object;
    this.#stack = stack.move();
  }

  /** Returns the user-defined probes, which are not attached yet. */
  customProbes(log: Log): CustomProbes {
    const { pinPath, hostRoot, customProbes = [] } = this.#options;
    return new CustomProbes(customProbes, { object: this.#object, pinPath, hostRoot, log });
  }

  /** Reads all running processes. */
  processes(): Snapshot {
    return readProcesses(this.#object.program(SNAPSHOT));
  }

  /** Returns null if no such process runs. */
  process(tgid: number): ProcessFacts | null {
    const snapshot = readProcesses(this.#object.program(SNAPSHOT), { tgid });
    const [at] = snapshot.offsets;
    return at === undefined ? null : factsAt(snapshot, at);
  }

  /** Returns the identities of the files that this process has open with O_PATH, by descriptor. */
  identifyFiles(): Map<number, FileKey[]> {
    return identifyFiles(this.#object.program(IDENTIFY));
  }

  /** Detaches every hook and removes all pins, so that nothing of the sensor stays in the kernel. */
  uninstall(): void {
    this.hooks.detach();
    removePinDirectory(this.#options.pinPath);
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}
