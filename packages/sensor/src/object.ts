import { constants } from 'node:os';
import { BpfLoadError, BpfObject } from '@ringfence/libbpf-ts';
import { ASKED_HOOKS } from './asked-hooks.ts';
import { SensorError } from './errors.ts';
import { FullProfile, kernelFunctions, tellFull } from './full.ts';
import { isProbe } from './probes.ts';
import { loadRefusals, REFUSED } from './refusals.ts';
import { sizeForCpus } from './sizes.ts';
import { traceFunctions } from './syscalls.ts';

/** Without these there is no process tree, and nothing else makes sense. */
export const LIFECYCLE: readonly string[] = ['process_fork', 'process_exec', 'process_exit'];
/** Programs that are only needed where another's hook has not come yet. */
export const STAND_INS: ReadonlyMap<string, string> = new Map([
  ['io_uring_submitted_6_1', 'io_uring_submitted'],
  ['connect_enter', 'connect_unix'],
]);
/** Reads the running processes; attached for each run, never pinned. */
export const SNAPSHOT = 'snapshot';
/** Whose refusal leaves no sensor. */
const VITAL: readonly string[] = [...LIFECYCLE, SNAPSHOT];
/** Tells whose the sockets are that are older than the sensor; run twice after the hooks are in place, never pinned. */
export const ADOPT = 'adopt_sockets';
/** Reads the kernel's memory for checks of its integrity; run by itself, never attached. */
export const READ_KERNEL = 'read_kernel';
/** Reads the open sockets: of the inventory, not of the agent. */
export const SOCKETS = 'sockets';

const ON_DEMAND: readonly string[] = [READ_KERNEL, SOCKETS];

const { EAGAIN } = constants.errno;
const INTERRUPTIONS_MAX = 10;

export interface LoadOptions {
  readonly path: string;
  readonly pinPath: string;
  readonly ringSecurityBytes: number;
  readonly ringBulkBytes: number;
  /** false: the pinned programs stay, only the snapshot's, those of probes and those that are attached when somebody asks are loaded */
  readonly programs: boolean;
  /** without `programs`: the pinned ones of system calls are around the kernel's functions */
  readonly functions: boolean;
  /** names of the programs of probes that are wanted */
  readonly probes: ReadonlySet<string>;
}

export interface LoadedObject {
  readonly object: BpfObject;
  /** programs that this kernel's verifier refused, with its last line */
  readonly refused: ReadonlyMap<string, string>;
  /** programs of system calls that this kernel does not have */
  readonly absent: readonly string[];
  /** programs of the full profile among those that are loaded */
  readonly full: ReadonlySet<string>;
  /** why programs of system calls go on tracepoints; undefined: they go around the kernel's functions, or nothing was loaded */
  readonly onTracepoints: string | undefined;
  /** programs for what seccomp refuses, which tracepoints see by themselves */
  readonly refusals: BpfObject | undefined;
}

/** Loads the sensor with its maps pinned, or taken from the pins. A refused program that isn't vital is left out. Throws SensorError. */
export function loadObject(options: LoadOptions): LoadedObject {
  const refused = new Map<string, string>();
  const full = options.programs ? probe(options.path) : undefined;
  const { object, absent } = loadPrograms(options, refused, full);
  const programs = full?.programs ?? new Set<string>();
  const onTracepoints = full?.onTracepoints;
  const told = { object, refused, absent, full: programs, onTracepoints };
  if (full === undefined || onTracepoints !== undefined) return { ...told, refusals: undefined };
  const refusals = loadRefusals(() => prepare(options, refused, programs));
  if (typeof refusals !== 'string') return { ...told, refusals };
  refused.set(REFUSED, refusals);
  return { ...told, refusals: undefined };
}

function loadPrograms(
  options: LoadOptions,
  refused: Map<string, string>,
  full: FullProfile | undefined,
): Pick<LoadedObject, 'object' | 'absent'> {
  for (let interrupted = 0; ; ) {
    const object = prepare(options, refused, full?.programs ?? new Set());
    const functions = full === undefined ? options.functions : full.onTracepoints === undefined;
    const absent = functions ? traceFunctions(object) : [];
    try {
      object.load();
      return { object, absent };
    } catch (error) {
      object[Symbol.dispose]();
      // A signal (a profiler's, a child's) in the middle of the verifier's work: no verdict on the program.
      if (error instanceof BpfLoadError && error.errno === EAGAIN && interrupted++ < INTERRUPTIONS_MAX) continue;
      const program = error instanceof BpfLoadError ? error.program : undefined;
      const why = (error as Error).message;
      if (program === undefined || VITAL.includes(program) || refused.has(program))
        throw new SensorError(`the sensor ${options.path} can't be loaded: ${why}`, { cause: error });
      const line = why.split('\n')[0] ?? '';
      if (!full?.refuse(program, line)) refused.set(program, line);
    }
  }
}

function probe(path: string): FullProfile {
  try {
    return FullProfile.probe(path);
  } catch (cause) {
    throw new SensorError(`the sensor ${path} can't be opened: ${(cause as Error).message}`, { cause });
  }
}

function prepare(options: LoadOptions, refused: ReadonlyMap<string, string>, full: ReadonlySet<string>): BpfObject {
  const { path, pinPath } = options;
  const object = BpfObject.open(path);
  object.definition('rf_ring_security').resize(options.ringSecurityBytes);
  object.definition('rf_ring_bulk').resize(options.ringBulkBytes);
  sizeForCpus(object);
  for (const definition of object.definitions.values()) definition.pinAt(`${pinPath}/${definition.name}`);
  object.section('.bss').pinAt(`${pinPath}/rf_bss`);
  const needless = needlessStandIns(object, refused);
  for (const program of object.programs.values()) {
    const { name, section } = program;
    const loaded = options.programs ? !ON_DEMAND.includes(name) : ASKED_HOOKS.has(name);
    const given = program.autoload ? loaded : full.has(name);
    const wanted = isProbe(section) ? options.probes.has(name) : given || name === SNAPSHOT;
    program.autoload = wanted && !refused.has(name) && !needless.has(name);
  }
  tellFull(object, full);
  return object;
}

/** Those of hooks that this kernel has: it would verify them for nothing. */
function needlessStandIns(object: BpfObject, refused: ReadonlyMap<string, string>): ReadonlySet<string> {
  const isThere = kernelFunctions();
  const needless = [...STAND_INS].filter(([, hook]) => {
    const { section, hookKnown } = object.program(hook);
    return hookKnown && !refused.has(hook) && (section.startsWith('cgroup/') || isThere(section));
  });
  return new Set(needless.map(([name]) => name));
}
