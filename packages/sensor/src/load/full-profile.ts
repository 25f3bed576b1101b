import { BpfObject, type BpfProgram } from '@ringfence/libbpf-ts';
import {
  type AttachMethod,
  attachMethods,
  hookFinder,
  hookOf,
  type MethodProblems,
  methodOf,
  testMethods,
} from './attach-methods.ts';
import { REFUSED } from './refusals.ts';
import { sectionsWithoutFunction, systemCallOf } from './system-calls.ts';

/** Reports datagrams to unix sockets. If it is loaded, the programs of the send calls leave these to it. */
export const UNIX_SENT = 'unix_datagram_sent';

/** Tells the baseline's programs which programs of the full profile are loaded. Call it before the object is loaded. */
export function setFullProfile(object: BpfObject, programs: ReadonlySet<string>): void {
  object.globals['rf_full'] = programs.size > 0;
  object.globals['rf_unix_sent'] = programs.has(UNIX_SENT);
}

/**
 * Chooses the program that is loaded for each hook of the full profile. When the kernel rejects a program, the next
 * attach method of its hook is used. If fentry works, the programs of system calls also trace the kernel's functions.
 */
export class FullProfile {
  /** By method: why this kernel does not support it. */
  readonly methodProblems: MethodProblems;
  readonly #systemCallPrograms: ReadonlySet<string>;
  /** By hook: candidate programs, preferred one first. */
  readonly #candidates = new Map<string, string[]>();
  /** By hook: why its last candidate was rejected, or why it has none. */
  readonly #reasons = new Map<string, string>();
  #tracepointReason: string | undefined;

  private constructor(path: string, methodProblems: MethodProblems) {
    this.methodProblems = methodProblems;
    using object = BpfObject.open(path);
    const isTraceable = hookFinder();
    const programs = [...object.programs.values()];
    const ofSystemCalls = programs.filter(({ section }) => systemCallOf(section) !== undefined);
    this.#systemCallPrograms = new Set(ofSystemCalls.map(({ name }) => name));
    this.#tracepointReason = methodProblems.fentry ?? missingFunction(object, isTraceable);
    this.#collectCandidates(programs, isTraceable);
  }

  #collectCandidates(programs: readonly BpfProgram[], isTraceable: (section: string) => boolean): void {
    // Sections of the full profile begin with `?`, so that libbpf does not load their programs by default.
    const optional = programs.filter(({ autoload, hookKnown, name }) => !autoload && hookKnown && name !== REFUSED);
    for (const [hook, ofHook] of Map.groupBy(optional, ({ name }) => hookOf(name))) {
      const usable = ofHook.filter(({ section }) => this.methodProblems[methodOf(section)] === undefined);
      const candidates = usable.filter(({ section }) => isTraceable(section)).map(({ name }) => name);
      this.#candidates.set(hook, candidates);
      const problem = this.methodProblems[methodOf(ofHook[0]?.section ?? '')];
      this.#reasons.set(hook, usable.length > 0 ? 'this kernel has no such hook' : (problem ?? ''));
    }
  }

  /**
   * Tests which attach methods the kernel supports. Throws BpfError if the object can't be opened.
   * @param allowed methods that may be used. @default all
   */
  static probe(path: string, allowed: readonly AttachMethod[] = attachMethods): FullProfile {
    return new FullProfile(path, testMethods(path, allowed));
  }

  /** The preferred program of each hook among those that the kernel has not rejected. */
  get programs(): ReadonlySet<string> {
    return new Set([...this.#candidates.values()].flatMap(([name]) => name ?? []));
  }

  /** Why the programs of system calls use tracepoints; undefined if they trace functions (`traceFunctions`). */
  get tracepointReason(): string | undefined {
    return this.#tracepointReason;
  }

  /** Hooks for which there is no program, with the reason. */
  get missingHooks(): ReadonlyMap<string, string> {
    return new Map([...this.#reasons].filter(([hook]) => (this.#candidates.get(hook)?.length ?? 0) === 0));
  }

  /**
   * Records that the kernel rejected a program. Returns false if the profile has no alternative to it, which is the
   * case for any program that is neither preferred for a hook nor traces a system call's function.
   */
  reject(program: string, reason: string): boolean {
    if (this.#tracepointReason === undefined && this.#systemCallPrograms.has(program)) {
      this.#tracepointReason = `${program}: ${reason}`;
      return true;
    }
    const hook = hookOf(program);
    const candidates = this.#candidates.get(hook);
    if (candidates?.[0] !== program) return false;
    candidates.shift();
    this.#reasons.set(hook, reason);
    return true;
  }
}

/** Looks up about a hundred functions in BTF, so it is called only if fentry works. */
function missingFunction(object: BpfObject, isTraceable: (section: string) => boolean): string | undefined {
  const [section] = sectionsWithoutFunction(object, isTraceable);
  return section === undefined ? undefined : `this kernel has no function for ${section}`;
}
