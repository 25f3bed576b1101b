import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { BpfError, BpfObject } from '@ringfence/libbpf-ts';
import { findProbedFiles, isProbe } from '@ringfence/sensor';
import { familyOf } from './hook-families.ts';

const { EPERM, ENOENT, E2BIG } = constants.errno;

/** State of one hook. The properties are those of `ringfence doctor --json`. */
export interface HookState {
  readonly program: string;
  readonly section: string;
  /** Hooks of the full profile are optional; their texts are the kernel's copies. */
  readonly profile: 'baseline' | 'full';
  readonly sees: string;
  /** Empty when an absent hook costs nothing, because this kernel lacks the feature that it would watch. */
  readonly loses: string;
  /** Null when the hook loads and attaches, or is `absent`. */
  readonly problem: string | null;
  /** Command that fixes or explains the problem, or an instruction; empty when there is no problem. */
  readonly fix: string;
  /** This kernel does not have the hook, and no command can add it. */
  readonly absent: boolean;
}

/** Lists the system calls of this kernel: a missing tracepoint belongs to a newer kernel, or was not compiled in. */
const SYSCALLS = '/sys/kernel/tracing/events/syscalls';
const TRACEPOINT = /^(tracepoint|raw_tp)/;
const CGROUP_FULL = 'the cgroup already has 64 programs of this kind, which is the limit: remove one of them';
/** Size of rings while hooks are probed: the smallest that the kernel accepts. */
export const RING_BYTES = 4096;
/** Context of a program that is run on demand; no such program has a larger one. */
const CONTEXT_BYTES = 16;

/** Loads the sensor and attaches each program of the baseline profile for a moment. */
export function probeHooks(
  objectPath: string,
  cgroup: string | undefined,
  onProgress: (done: number, total: number) => void = () => {},
): HookState[] {
  using sensor = load(objectPath);
  // Programs of the full profile are not loaded by default.
  const programs = [...sensor.object.programs.values()].filter(({ autoload }) => autoload);
  return programs.map(({ name, section }, index) => {
    onProgress(index, programs.length);
    const family = familyOf(section);
    const problem =
      sensor.problem === null
        ? attachProblem(sensor.object, name, section, cgroup)
        : singleProblem(objectPath, name, section, cgroup);
    const absent = problem?.errno === ENOENT && TRACEPOINT.test(section) && existsSync(SYSCALLS);
    return {
      program: name,
      section,
      profile: 'baseline',
      sees: family?.sees ?? section,
      loses: absent && family?.optional ? '' : (family?.loses ?? 'its events are not seen'),
      problem: problem === null || absent ? null : problem.text,
      fix: problem === null || absent ? '' : fixOf(problem, section),
      absent,
    };
  });
}

/** Returns a command, or an instruction where there is no command. */
export function fixOf({ errno }: Pick<Problem, 'errno'>, section: string): string {
  if (section.startsWith('cgroup') && errno === undefined) return 'mount -t cgroup2 cgroup2 /sys/fs/cgroup';
  if (section.startsWith('cgroup') && errno === E2BIG) return 'bpftool cgroup show /sys/fs/cgroup';
  if (errno === EPERM) return 'run as root: sudo npm start';
  if (TRACEPOINT.test(section) && !existsSync(SYSCALLS)) return 'mount -t tracefs tracefs /sys/kernel/tracing';
  return 'boot a kernel built with CONFIG_FTRACE_SYSCALLS=y (stock kernels are)';
}

export interface Problem {
  readonly text: string;
  readonly errno: number | undefined;
}

interface LoadedObject extends Disposable {
  readonly object: BpfObject;
  readonly problem: Problem | null;
}

/** @param only name of the only program to load. @default the baseline profile */
function load(objectPath: string, only?: string): LoadedObject {
  const object = BpfObject.open(objectPath);
  for (const map of object.definitions.values()) if (map.type === 'ringbuf') map.resize(RING_BYTES);
  if (only !== undefined) for (const program of object.programs.values()) program.autoload = program.name === only;
  return { object, problem: problemOf(() => object.load()), [Symbol.dispose]: () => object[Symbol.dispose]() };
}

/** Loads and attaches a single program, to find out which programs the kernel refuses when it refuses the object. */
function singleProblem(objectPath: string, name: string, section: string, cgroup: string | undefined): Problem | null {
  using loaded = load(objectPath, name);
  return loaded.problem ?? attachProblem(loaded.object, name, section, cgroup);
}

function attachProblem(object: BpfObject, name: string, section: string, cgroup: string | undefined): Problem | null {
  if (isProbe(section)) return probeProblem(object, name);
  if (section.startsWith('cgroup') && cgroup === undefined)
    return { text: 'cgroup v2 is not mounted', errno: undefined };
  const problem = problemOf(() => attach(object, name, section, cgroup ?? '')[Symbol.dispose]());
  return problem?.errno === E2BIG && section.startsWith('cgroup') ? { ...problem, text: CGROUP_FULL } : problem;
}

/** Attaches a user-space probe to the first file of this host that it fits. No such file is no problem. */
function probeProblem(object: BpfObject, name: string): Problem | null {
  for (const { path, probes } of findProbedFiles({ pam: true, shell: true, tls: true, files: [] }, '/')) {
    const probe = probes.find(({ program, optional }) => program === name && !optional);
    if (probe !== undefined) {
      const program = object.program(name);
      return problemOf(() => program.attachUprobe({ path, ...probe })[Symbol.dispose]());
    }
  }
  return null;
}

/** Returns the BpfError that `attempt` throws as a problem, or null. */
export function problemOf(attempt: () => void): Problem | null {
  try {
    attempt();
    return null;
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return { text: (error.message.split('\n')[0] ?? error.message).slice(0, 200), errno: error.errno };
  }
}

function attach(object: BpfObject, name: string, section: string, cgroup: string): Disposable {
  const program = object.program(name);
  if (section === 'syscall') {
    program.run({ context: new Uint8Array(CONTEXT_BYTES) });
    return { [Symbol.dispose]() {} };
  }
  if (section.startsWith('iter')) return program.attachIterator();
  return section.startsWith('cgroup') ? program.attachCgroup(cgroup) : program.attach();
}
