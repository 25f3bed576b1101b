import { BpfError, type BpfLink, BpfObject } from '@ringfence/libbpf-ts';

/** What a program of the sensor sees, found by where it attaches. First match wins. */
const HOOKS: readonly { readonly pattern: RegExp; readonly sees: string; readonly loses: string }[] = [
  {
    pattern: /sched_process_fork/,
    sees: 'new processes',
    loses: 'parents of processes that never exec are unknown until their next event',
  },
  {
    pattern: /sched_process_exec/,
    sees: 'programs being run',
    loses: 'every rule on executions is blind: most of detection',
  },
  {
    pattern: /sched_process_exit/,
    sees: 'processes ending',
    loses: 'exit codes and signals are unknown; ended processes are forgotten late',
  },
  {
    pattern: /sys_(enter|exit)_(set|capset|unshare)/,
    sees: 'changes of user, group and capabilities',
    loses: 'privilege escalation without an exec is not seen',
  },
  {
    pattern: /sys_(enter|exit)_(open|creat)/,
    sees: 'files being opened',
    loses: 'rules on files (persistence, credential access) are blind to this call',
  },
  {
    pattern: /sys_(enter|exit)_connect/,
    sees: 'connections being made',
    loses: 'rules on connections (command and control, port scans) are blind',
  },
  {
    pattern: /cgroup\/connect/,
    sees: 'the address of a connection that failed',
    loses: "for a failed connection the caller's copy of the address is reported",
  },
  {
    pattern: /cgroup_mkdir/,
    sees: 'containers being made',
    loses: 'a container that is gone before its first event is read has no name',
  },
  {
    pattern: /iter\/task_file/,
    sees: 'sockets that are open already',
    loses: '`ringfence inventory` has none',
  },
  {
    pattern: /iter/,
    sees: 'processes that run already',
    loses: 'processes started before the agent are known from /proc only',
  },
];

export interface HookState {
  readonly program: string;
  readonly section: string;
  readonly sees: string;
  readonly loses: string;
  /** null: it loads and attaches */
  readonly problem: string | null;
}

/** Loads the sensor and attaches each of its programs for a moment. `progress` is told of each. */
export function probeHooks(
  objectPath: string,
  cgroup: string | undefined,
  progress: (done: number, of: number) => void = () => {},
): HookState[] {
  using whole = loadOnly(objectPath, undefined);
  const programs = [...whole.object.programs.values()].map(({ name, section }) => ({ name, section }));
  return programs.map(({ name, section }, index) => {
    progress(index, programs.length);
    const known = HOOKS.find(({ pattern }) => pattern.test(section));
    const problem =
      whole.problem === null
        ? attachProblem(whole.object, name, section, cgroup)
        : aloneProblem(objectPath, name, section, cgroup);
    return {
      program: name,
      section,
      sees: known?.sees ?? section,
      loses: known?.loses ?? 'what it sees is not seen',
      problem,
    };
  });
}

interface Loaded extends Disposable {
  readonly object: BpfObject;
  readonly problem: string | null;
}

/** With one program only, or with all. */
function loadOnly(objectPath: string, only: string | undefined): Loaded {
  const object = BpfObject.open(objectPath);
  for (const definition of object.definitions.values()) if (definition.type === 'ringbuf') definition.resize(4096);
  for (const program of object.programs.values()) program.autoload = only === undefined || program.name === only;
  return { object, problem: problemOf(() => object.load()), [Symbol.dispose]: () => object[Symbol.dispose]() };
}

/** When the kernel refuses the sensor as a whole, each program is tried alone. */
function aloneProblem(objectPath: string, name: string, section: string, cgroup: string | undefined): string | null {
  using loaded = loadOnly(objectPath, name);
  return loaded.problem ?? attachProblem(loaded.object, name, section, cgroup);
}

function attachProblem(object: BpfObject, name: string, section: string, cgroup: string | undefined): string | null {
  if (section.startsWith('cgroup') && cgroup === undefined) return 'cgroup v2 is not mounted';
  return problemOf(() => attach(object, name, section, cgroup ?? '')[Symbol.dispose]());
}

function problemOf(attempt: () => void): string | null {
  try {
    attempt();
    return null;
  } catch (error) {
    if (error instanceof BpfError) return (error.message.split('\n')[0] ?? error.message).slice(0, 200);
    throw error;
  }
}

function attach(object: BpfObject, name: string, section: string, cgroup: string): BpfLink {
  const program = object.program(name);
  if (section.startsWith('iter')) return program.attachIterator();
  return section.startsWith('cgroup') ? program.attachCgroup(cgroup) : program.attach();
}
