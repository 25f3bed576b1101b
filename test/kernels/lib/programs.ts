/** What the kernel that this runs on makes of each of the sensor's programs. */
import { BpfError, BpfLoadError, BpfObject, type BpfProgram } from '@ringfence/libbpf-ts';
import { sizeForCpus } from '@ringfence/sensor';
import { hookFinder } from '@ringfence/sensor/parts';

export interface ProgramVerdict {
  readonly name: string;
  readonly section: string;
  /** of the full profile */
  readonly full: boolean;
  /** undefined: it was loaded; else why not */
  readonly refused?: string;
  /** undefined: it was attached; else why not */
  readonly unattached?: string;
  /** that the verifier went through; 0 where the kernel doesn't tell, or the program was refused */
  readonly instructions: number;
}

/** The object with these programs, as the collector loads it: a refused one is left out and the others are tried again. */
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
      refused.set(error.program, lastWords(error));
    }
  }
}

/** Of the verifier, before its statistics; without any, the kernel's errno. */
function lastWords({ verifierLog, message }: BpfLoadError): string {
  const said = verifierLog.split('\n').filter((line) => !/^(processed |$)/.test(line));
  return said.at(-1) ?? message.split('\n')[0] ?? '';
}

/** Probes are set in files that the collector finds, and some programs are run when somebody asks: there is nothing to attach here. */
const BY_HAND = /^(u(ret)?probe|tracepoint$|syscall$)/;

function attach(program: BpfProgram, cgroup: string): string | undefined {
  if (BY_HAND.test(program.section)) return undefined;
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
    const why = refused.get(name);
    if (why !== undefined) return { name, section, full, refused: why, instructions: 0 };
    const instructions = program.verifiedInstructions;
    const unattached = attach(program, cgroup);
    return { name, section, full, instructions, ...(unattached === undefined ? {} : { unattached }) };
  });
}

/** Loads and attaches all that can be, then lets go of it. @param cgroup where cgroup hooks go */
export function judgePrograms(path: string, cgroup: string): ProgramVerdict[] {
  const refused = new Map<string, string>();
  using baseline = load(path, ({ autoload }) => autoload, refused);
  const verdicts = judge(baseline, refused, false, cgroup);
  const isThere = hookFinder();
  const absent = new Map<string, string>();
  // those of sections that begin with `?`: libbpf doesn't load them by itself
  using full = load(
    path,
    ({ name, section, autoload, hookKnown }) => {
      if (!autoload && hookKnown && !isThere(section)) absent.set(name, NO_HOOK);
      return !autoload && hookKnown && isThere(section);
    },
    absent,
  );
  return [...verdicts, ...judge(full, absent, true, cgroup)];
}
