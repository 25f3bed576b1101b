import { existsSync } from 'node:fs';
import { BpfError, BpfObject } from '@ringfence/libbpf-ts';
import { findProbedFiles, isProbe } from '@ringfence/sensor';
import { familyOf } from './families.ts';

export interface HookState {
  readonly program: string;
  readonly section: string;
  /** full: a hook that may come on top, whose words are the kernel's own */
  readonly profile: 'baseline' | 'full';
  readonly sees: string;
  /** empty: nothing, since there is nothing to see */
  readonly loses: string;
  /** null: it loads and attaches, or is `absent` */
  readonly problem: string | null;
  /** a command that mends the problem or shows whose it is, else what to do; empty: there is no problem */
  readonly fix: string;
  /** this kernel has no place for it, and no command makes one */
  readonly absent: boolean;
}

/** Loads the sensor and attaches each of its programs for a moment. `progress` is told of each. */
export function probeHooks(
  objectPath: string,
  cgroup: string | undefined,
  progress: (done: number, of: number) => void = () => {},
): HookState[] {
  using whole = loadOnly(objectPath, undefined);
  // the others are the full profile's
  const programs = [...whole.object.programs.values()].filter(({ autoload }) => autoload);
  return programs.map(({ name, section }, index) => {
    progress(index, programs.length);
    const known = familyOf(section);
    const problem =
      whole.problem === null
        ? attachProblem(whole.object, name, section, cgroup)
        : aloneProblem(objectPath, name, section, cgroup);
    const absent = problem?.errno === ENOENT && TRACEPOINT.test(section) && existsSync(SYSCALLS);
    return {
      program: name,
      section,
      profile: 'baseline',
      sees: known?.sees ?? section,
      loses: absent && known?.optional ? '' : (known?.loses ?? 'what it sees is not seen'),
      problem: problem === null || absent ? null : problem.text,
      fix: problem === null || absent ? '' : fixOf(problem, section),
      absent,
    };
  });
}

/** Where the kernel's own system calls are listed, one that is not among them is of a newer kernel, or left out of this one. */
const SYSCALLS = '/sys/kernel/tracing/events/syscalls';
const TRACEPOINT = /^(tracepoint|raw_tp)/;

/** A command; what to do where there is none. */
export function fixOf({ errno }: Pick<Problem, 'errno'>, section: string): string {
  if (section.startsWith('cgroup') && errno === undefined) return 'mount -t cgroup2 cgroup2 /sys/fs/cgroup';
  if (section.startsWith('cgroup') && errno === E2BIG) return 'bpftool cgroup show /sys/fs/cgroup';
  if (errno === EPERM) return 'run as root: sudo npm start';
  if (TRACEPOINT.test(section) && !existsSync(SYSCALLS)) return 'mount -t tracefs tracefs /sys/kernel/tracing';
  return 'boot a kernel built with CONFIG_FTRACE_SYSCALLS=y (stock kernels are)';
}

const EPERM = 1;
const ENOENT = 2;
const E2BIG = 7;
const NO_PLACE = 'the cgroup has room for 64 programs of a kind, and has them: take one of them away';

export interface Problem {
  readonly text: string;
  readonly errno: number | undefined;
}

interface Loaded extends Disposable {
  readonly object: BpfObject;
  readonly problem: Problem | null;
}

/** With one program only, or with all. */
function loadOnly(objectPath: string, only: string | undefined): Loaded {
  const object = BpfObject.open(objectPath);
  for (const definition of object.definitions.values()) if (definition.type === 'ringbuf') definition.resize(4096);
  if (only !== undefined) for (const program of object.programs.values()) program.autoload = program.name === only;
  return { object, problem: problemOf(() => object.load()), [Symbol.dispose]: () => object[Symbol.dispose]() };
}

/** When the kernel refuses the sensor as a whole, each program is tried alone. */
function aloneProblem(objectPath: string, name: string, section: string, cgroup: string | undefined): Problem | null {
  using loaded = loadOnly(objectPath, name);
  return loaded.problem ?? attachProblem(loaded.object, name, section, cgroup);
}

function attachProblem(object: BpfObject, name: string, section: string, cgroup: string | undefined): Problem | null {
  if (isProbe(section)) return probeProblem(object, name);
  if (section.startsWith('cgroup') && cgroup === undefined)
    return { text: 'cgroup v2 is not mounted', errno: undefined };
  const problem = problemOf(() => attach(object, name, section, cgroup ?? '')[Symbol.dispose]());
  return problem?.errno === E2BIG && section.startsWith('cgroup') ? { ...problem, text: NO_PLACE } : problem;
}

/** A probe is tried in the first file that this host has for it; without any there is nothing to miss. */
function probeProblem(object: BpfObject, name: string): Problem | null {
  for (const { path, probes } of findProbedFiles({ pam: true, shell: true, tls: true, files: [] }, '/')) {
    const probe = probes.find(({ program, optional }) => program === name && !optional);
    if (probe !== undefined)
      return problemOf(() =>
        object
          .program(name)
          .attachUprobe({ path, ...probe })
          [Symbol.dispose](),
      );
  }
  return null;
}

/** bytes: more than the context of any program that is run on demand */
const ON_DEMAND_CONTEXT = 16;

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
    program.run({ context: new Uint8Array(ON_DEMAND_CONTEXT) });
    return { [Symbol.dispose]() {} };
  }
  if (section.startsWith('iter')) return program.attachIterator();
  return section.startsWith('cgroup') ? program.attachCgroup(cgroup) : program.attach();
}
