/** Determines the verdict of the running kernel on each of the sensor's programs. */
import { defined } from '@ringfence/base';
import { BpfError, BpfLoadError, BpfObject, type BpfProgram } from '@ringfence/libbpf-ts';
import { sizeForCpus } from '@ringfence/sensor';
import { hookFinder } from '@ringfence/sensor/parts';

export interface ProgramVerdict {
  readonly name: string;
  readonly section: string;
  /** whether it is a program of the full profile */
  readonly full: boolean;
  /** why it was rejected; undefined if it was loaded */
  readonly refused?: string;
  /** why it was not attached; undefined if it was */
  readonly unattached?: string;
  /** instructions that the verifier processed; 0 if unknown or rejected */
  readonly instructions: number;
}

/** Loads the wanted programs like the collector: without those that the kernel rejects. */
function load(path: string, wanted: (program: BpfProgram) => boolean, refused: Map<string, string>): BpfObject {
  for (;;) {
    const object = BpfObject.open(path);
    sizeForCpus(object);
    const programs = [...object.programs.values()].map((program) => ({ program, wanted: wanted(program) }));
    for (const { program, wanted } of programs) program.autoload = wanted && !refused.has(program.name);
    object.globals['rf_full'] = true;
    try {
      return object.load();
    } catch (error) {
      object[Symbol.dispose]();
      if (!(error instanceof BpfLoadError) || error.program === undefined || refused.has(error.program)) throw error;
      refused.set(error.program, lastMessage(error));
    }
  }
}

/** Returns the verifier's last message before its statistics, or else the kernel's errno. */
function lastMessage({ verifierLog, message }: BpfLoadError): string {
  const lines = verifierLog.split('\n').filter((line) => !/^(processed |$)/.test(line));
  return lines.at(-1) ?? message.split('\n')[0] ?? '';
}

/** Probes need a file, and some programs are run on demand: they have no hook to attach to. */
const ON_DEMAND = /^(u(ret)?probe|tracepoint$|syscall$)/;

function attach(program: BpfProgram, cgroup: string): string | undefined {
  if (ON_DEMAND.test(program.section)) return undefined;
  try {
    if (program.section.startsWith('cgroup')) program.attachCgroup(cgroup);
    else program.attach();
    return undefined;
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return error.message.split('\n')[0];
  }
}

const NO_HOOK = 'this kernel has no such hook';

function judge(
  object: BpfObject,
  refused: ReadonlyMap<string, string>,
  full: boolean,
  cgroup: string,
): ProgramVerdict[] {
  const programs = [...object.programs.values()].filter(
    ({ name, loaded, hookKnown }) => loaded || refused.has(name) || (!hookKnown && !full),
  );
  return programs.map((program) => {
    const { name, section } = program;
    if (!program.hookKnown) return { name, section, full, unattached: NO_HOOK, instructions: 0 };
    const reason = refused.get(name);
    if (reason !== undefined) return { name, section, full, refused: reason, instructions: 0 };
    const instructions = program.verifiedInstructions;
    const unattached = attach(program, cgroup);
    return { name, section, full, instructions, ...defined({ unattached }) };
  });
}

/**
 * Loads and attaches all programs, then detaches them.
 * @param cgroup directory for cgroup hooks
 */
export function judgePrograms(path: string, cgroup: string): ProgramVerdict[] {
  const refused = new Map<string, string>();
  using baseline = load(path, ({ autoload }) => autoload, refused);
  const verdicts = judge(baseline, refused, false, cgroup);
  const isTraceable = hookFinder();
  const absent = new Map<string, string>();
  // Sections of the full profile begin with `?`, so that libbpf does not load their programs by default.
  using full = load(
    path,
    ({ name, section, autoload, hookKnown }) => {
      if (!autoload && hookKnown && !isTraceable(section)) absent.set(name, NO_HOOK);
      return !autoload && hookKnown && isTraceable(section);
    },
    absent,
  );
  return [...verdicts, ...judge(full, absent, true, cgroup)];
}
