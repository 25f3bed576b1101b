import { existsSync, readFileSync } from 'node:fs';
import { BpfError, BpfObject, kernelNames } from '@ringfence/libbpf-ts';
import { REFUSED } from './refusals.ts';
import { sizeForCpus } from './sizes.ts';
import { systemCallOf, withoutFunction } from './syscalls.ts';

/** Of a map for a moment: making those of the sensor takes longer than all else. Rings need a page. */
const ENTRIES_MAX = 64;
const RING_BYTES = 4096;

/** How a hook of the full profile can be attached, the best first. A program's name is its hook's, with what stands here behind it. */
const WAYS = { lsm: '', fentry: '_fentry', kprobe: '_kprobe' } as const;
export type Way = keyof typeof WAYS;
export const ways = Object.keys(WAYS) as readonly Way[];

/** This hook is called whenever a file is opened, so it shows whether a way works at all. */
const SHOWN_BY = 'file_open';

/** A program at a function's end goes the same way as one at its beginning. */
function wayOf(section: string): Way {
  const [kind = ''] = section.replace(/^\?/, '').split('/');
  return ways.find((way) => way === kind.replace('fexit', 'fentry')) ?? 'lsm';
}

/** Programs of sends leave to it what goes to unix sockets. */
export const UNIX_SENT = 'unix_datagram_sent';

/** Before load: the baseline's programs hear which of the full profile are loaded with them. */
export function tellFull(object: BpfObject, programs: ReadonlySet<string>): void {
  object.globals['rf_full'] = programs.size > 0;
  object.globals['rf_unix_sent'] = programs.has(UNIX_SENT);
}

/** How the kernel's types call what is hooked that way, where it isn't the function itself. */
const PREFIXES: Readonly<Record<string, string>> = { lsm: 'bpf_lsm_', raw_tp: 'btf_trace_' };

/**
 * Whether the kernel has the function that a program is put before, or the raw tracepoint. By its types: to let the kernel refuse each program that can't be
 * takes seconds.
 */
export function kernelFunctions(): (section: string) => boolean {
  const isThere = kernelNames();
  return (section) => {
    const [way = '', hook = ''] = section.replace(/^\?/, '').split('/');
    return isThere(`${PREFIXES[way] ?? ''}${hook}`);
  };
}

/** Why a way to the hooks of the full profile is closed on this kernel; undefined: it is open. */
type Ways = { readonly [way in Way]: string | undefined };

const FTRACE = '/proc/sys/kernel/ftrace_enabled';
const FTRACE_OFF = 'the function tracer is switched off (kernel.ftrace_enabled)';

/**
 * All ways stand on the function tracer. While it is off hooks attach and are never called, and 6.1 loses track of the function when they are taken away:
 * it can't be hooked any more until the next boot.
 */
function ftraceIsOff(): boolean {
  return existsSync(FTRACE) && readFileSync(FTRACE, 'utf8').trim() === '0';
}

/** Each is tried: a program of it is attached for a moment, and must be called. Neither version nor configuration tells. */
function probeWays(path: string, allowed: readonly Way[]): Ways {
  const closed: Partial<Record<Way, string | undefined>> = {};
  if (ftraceIsOff()) return { lsm: FTRACE_OFF, fentry: FTRACE_OFF, kprobe: FTRACE_OFF };
  for (const way of ways)
    closed[way] = allowed.includes(way) ? probeWay(path, `${SHOWN_BY}${WAYS[way]}`) : 'it is not to be used';
  return closed as Ways;
}

/** One of them is there where there are kprobes. */
const KPROBE_FILES = ['/sys/bus/event_source/devices/kprobe/type', '/sys/kernel/tracing/kprobe_events'];

/** Maps of its own, as small as they may be, and no pin. */
function probeWay(path: string, name: string): string | undefined {
  if (name.endsWith(WAYS.kprobe) && !KPROBE_FILES.some((file) => existsSync(file))) return 'this kernel has no kprobes';
  using object = BpfObject.open(path);
  for (const definition of object.definitions.values())
    if (definition.maxEntries > ENTRIES_MAX)
      definition.resize(definition.type === 'ringbuf' ? RING_BYTES : ENTRIES_MAX);
  sizeForCpus(object, 1);
  for (const program of object.programs.values()) program.autoload = program.name === name;
  try {
    object.load();
    object.program(name).attach();
    readFileSync('/proc/self/comm');
    return object.globals['rf_full_called'] === 1 ? undefined : 'it is attached, and never called';
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return error.message.split('\n')[0] ?? '';
  }
}

/**
 * Which program is loaded for each hook of the full profile. One that the kernel refuses is followed by the hook's next, as long as a way is open. Where fentry
 * is open the programs of system calls, too, go around the kernel's functions.
 */
export class FullProfile {
  readonly ways: Ways;
  /** why programs of system calls go on tracepoints; undefined: they go around functions */
  #onTracepoints: string | undefined;
  /** names of their programs */
  readonly #systemCalls: ReadonlySet<string>;
  /** by hook */
  readonly #programs = new Map<string, string[]>();
  readonly #lacking = new Map<string, string>();

  private constructor(path: string, ways: Ways) {
    this.ways = ways;
    using opened = BpfObject.open(path);
    // those of sections that begin with `?`: libbpf doesn't load them by itself
    const optional = [...opened.programs.values()].filter(
      ({ autoload, hookKnown, name }) => !autoload && hookKnown && name !== REFUSED,
    );
    const isThere = kernelFunctions();
    const ofCalls = [...opened.programs.values()].filter(({ section }) => systemCallOf(section) !== undefined);
    this.#systemCalls = new Set(ofCalls.map(({ name }) => name));
    this.#onTracepoints = ways.fentry;
    // Asked only where it matters: a hundred names are looked for in all the kernel's.
    const [without] = ways.fentry === undefined ? withoutFunction(opened, isThere) : [];
    if (without !== undefined) this.#onTracepoints = `this kernel has no function for ${without}`;
    for (const [hook, programs] of Map.groupBy(optional, ({ name }) => FullProfile.hookOf(name))) {
      const open = programs.filter(({ section }) => ways[wayOf(section)] === undefined);
      const there = open.filter(({ section }) => isThere(section)).map(({ name }) => name);
      this.#programs.set(hook, there);
      if (open.length > 0) this.#lacking.set(hook, 'this kernel has no such hook');
      else this.#lacking.set(hook, ways[wayOf(programs[0]?.section ?? '')] ?? '');
    }
  }

  /** Throws BpfError when the object can't be opened. @param allowed ways that are tried at all */
  static probe(path: string, allowed: readonly Way[] = ways): FullProfile {
    return new FullProfile(path, probeWays(path, allowed));
  }

  /** @param program of the full profile */
  static hookOf(program: string): string {
    return program.replace(/_(fentry|kprobe)$/, '');
  }

  /** the best for each hook, of those that the kernel has not refused */
  get programs(): ReadonlySet<string> {
    return new Set([...this.#programs.values()].flatMap(([name]) => name ?? []));
  }

  /** why programs of system calls go on tracepoints; undefined: they go around functions (`traceFunctions`) */
  get onTracepoints(): string | undefined {
    return this.#onTracepoints;
  }

  /** hooks that this kernel doesn't have, with the reason */
  get lacking(): ReadonlyMap<string, string> {
    return new Map([...this.#lacking].filter(([hook]) => (this.#programs.get(hook)?.length ?? 0) === 0));
  }

  /** The kernel doesn't take the program, which is one of these, or of a system call's. false: it is none. */
  refuse(program: string, why: string): boolean {
    if (this.#onTracepoints === undefined && this.#systemCalls.has(program)) {
      this.#onTracepoints = `${program}: ${why}`;
      return true;
    }
    const hook = FullProfile.hookOf(program);
    const programs = this.#programs.get(hook);
    if (programs?.[0] !== program) return false;
    programs.shift();
    this.#lacking.set(hook, why);
    return true;
  }
}
