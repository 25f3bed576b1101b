import { constants } from 'node:os';
import { BpfLoadError, BpfObject, type BpfProgram } from '@ringfence/libbpf-ts';
import type { MissingHook } from '../attach/missing-hooks.ts';
import { SensorError } from '../errors.ts';
import { COMMAND_PROGRAMS, isProbe, ON_DEMAND_HOOKS, OWN_PROGRAMS, REQUIRED, STAND_INS } from '../programs.ts';
import { hookFinder } from './attach-methods.ts';
import { FullProfile, setFullProfile } from './full-profile.ts';
import { sizeForCpus } from './map-sizes.ts';
import { loadRefusals, REFUSED } from './refusals.ts';
import { traceFunctions } from './system-calls.ts';

const { EAGAIN } = constants.errno;
const INTERRUPTIONS_MAX = 10;
const NO_SYSTEM_CALL = 'this kernel has no such system call';

export interface LoadOptions {
  readonly path: string;
  readonly pinPath: string;
  readonly ringSecurityBytes: number;
  readonly ringBulkBytes: number;
  /**
   * false: the pinned programs of an earlier agent stay in use. Only the snapshot, the probes and the programs of
   * on-demand hooks are loaded.
   */
  readonly programs: boolean;
  /** whether the pinned programs of system calls trace functions; ignored if `programs` is true */
  readonly tracesFunctions: boolean;
  /** names of the probes' programs to load */
  readonly probes: ReadonlySet<string>;
}

export interface LoadedObject {
  readonly object: BpfObject;
  /** Programs that the verifier rejected (first line of its message), or whose system call the kernel lacks. */
  readonly missing: ReadonlyMap<string, MissingHook>;
  /** loaded programs of the full profile */
  readonly full: ReadonlySet<string>;
  /** why programs of system calls use tracepoints; undefined if they trace functions, or if none was loaded */
  readonly tracepointReason: string | undefined;
  /** programs for calls that seccomp rejects; needed only beside programs that trace functions */
  readonly refusals: BpfObject | undefined;
}

/**
 * Loads the sensor. Pins its maps, or reuses pinned ones. Leaves out programs that the kernel rejects, unless they are
 * required. Throws SensorError.
 */
export function loadObject(options: LoadOptions): LoadedObject {
  const missing = new Map<string, MissingHook>();
  const profile = options.programs ? probeFullProfile(options.path) : undefined;
  const object = loadPrograms(options, missing, profile);
  const full = profile?.programs ?? new Set<string>();
  const tracepointReason = profile?.tracepointReason;
  const loaded = { object, missing, full, tracepointReason };
  if (profile === undefined || tracepointReason !== undefined) return { ...loaded, refusals: undefined };
  const refusals = loadRefusals(() => openSelected(options, missing, full));
  if (typeof refusals !== 'string') return { ...loaded, refusals };
  missing.set(REFUSED, { reason: refusals, absent: false });
  return { ...loaded, refusals: undefined };
}

/** Loads the object again without the rejected program until the kernel takes the rest. */
function loadPrograms(
  options: LoadOptions,
  missing: Map<string, MissingHook>,
  profile: FullProfile | undefined,
): BpfObject {
  for (let interruptions = 0; ; ) {
    const object = openSelected(options, missing, profile?.programs ?? new Set());
    const tracesFunctions = profile === undefined ? options.tracesFunctions : profile.tracepointReason === undefined;
    const absent = tracesFunctions ? traceFunctions(object) : [];
    try {
      object.load();
      for (const name of absent) missing.set(name, { reason: NO_SYSTEM_CALL, absent: true });
      return object;
    } catch (error) {
      object[Symbol.dispose]();
      // A signal (of a profiler or a child) interrupted the verifier: the result does not concern the program.
      if (error instanceof BpfLoadError && error.errno === EAGAIN && interruptions++ < INTERRUPTIONS_MAX) continue;
      const program = error instanceof BpfLoadError ? error.program : undefined;
      const reason = (error as Error).message;
      if (program === undefined || REQUIRED.includes(program) || missing.has(program))
        throw new SensorError(`the sensor ${options.path} can't be loaded: ${reason}`, { cause: error });
      const line = reason.split('\n')[0] ?? '';
      if (!profile?.reject(program, line)) missing.set(program, { reason: line, absent: false });
    }
  }
}

function probeFullProfile(path: string): FullProfile {
  try {
    return FullProfile.probe(path);
  } catch (cause) {
    throw new SensorError(`the sensor ${path} can't be opened: ${(cause as Error).message}`, { cause });
  }
}

/** Opens the object, sets sizes and pins of its maps, and selects the programs to load. */
function openSelected(
  options: LoadOptions,
  missing: ReadonlyMap<string, MissingHook>,
  full: ReadonlySet<string>,
): BpfObject {
  const { path, pinPath } = options;
  const object = BpfObject.open(path);
  object.definition('rf_ring_security').resize(options.ringSecurityBytes);
  object.definition('rf_ring_bulk').resize(options.ringBulkBytes);
  sizeForCpus(object);
  for (const definition of object.definitions.values()) definition.pinAt(`${pinPath}/${definition.name}`);
  object.section('.bss').pinAt(`${pinPath}/rf_bss`);
  const needless = needlessStandIns(object, missing);
  for (const program of object.programs.values()) {
    const { name } = program;
    program.autoload = isSelected(program, options, full) && !missing.has(name) && !needless.has(name);
  }
  setFullProfile(object, full);
  return object;
}

function isSelected({ name, section, autoload }: BpfProgram, options: LoadOptions, full: ReadonlySet<string>): boolean {
  if (isProbe(section)) return options.probes.has(name);
  if (OWN_PROGRAMS.includes(name)) return true;
  // Programs of the full profile are not loaded by default.
  if (!autoload) return full.has(name);
  return options.programs ? !COMMAND_PROGRAMS.includes(name) : ON_DEMAND_HOOKS.has(name);
}

/** Stand-ins for hooks that this kernel has. Loading them would only cost the time to verify them. */
function needlessStandIns(object: BpfObject, missing: ReadonlyMap<string, MissingHook>): ReadonlySet<string> {
  const isTraceable = hookFinder();
  const needless = [...STAND_INS].filter(([, hook]) => {
    const { section, hookKnown } = object.program(hook);
    return hookKnown && !missing.has(hook) && (section.startsWith('cgroup/') || isTraceable(section));
  });
  return new Set(needless.map(([name]) => name));
}
