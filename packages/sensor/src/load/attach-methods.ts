import { existsSync, readFileSync } from 'node:fs';
import { BpfError, BpfObject, kernelNames } from '@ringfence/libbpf-ts';
import { sizeForCpus } from './map-sizes.ts';

/**
 * Methods by which a hook of the full profile can be attached, preferred one first. The value is the suffix that a
 * program's name has after the name of its hook.
 */
const SUFFIXES = { lsm: '', fentry: '_fentry', kprobe: '_kprobe' } as const;
export type AttachMethod = keyof typeof SUFFIXES;
export const attachMethods = Object.keys(SUFFIXES) as readonly AttachMethod[];

/** By method: why this kernel does not support it, or undefined if it does. */
export type MethodProblems = { readonly [method in AttachMethod]: string | undefined };

/** Size of maps in the object that tests a method: creating the sensor's full-size maps would take most of the time. */
const ENTRIES_MAX = 64;
/** Smallest ring: one page. */
const RING_BYTES = 4096;

/** The kernel calls this hook whenever a file is opened, so it shows whether a method works. */
const TEST_HOOK = 'file_open';

/** Prefixes that BTF puts before the name of a hook. Other sections name the function itself. */
const BTF_PREFIXES: Readonly<Record<string, string>> = { lsm: 'bpf_lsm_', raw_tp: 'btf_trace_' };

const FTRACE = '/proc/sys/kernel/ftrace_enabled';
const FTRACE_OFF = 'the function tracer is switched off (kernel.ftrace_enabled)';

/** At least one of these files exists if the kernel has kprobes. */
const KPROBE_FILES = ['/sys/bus/event_source/devices/kprobe/type', '/sys/kernel/tracing/kprobe_events'];

/** Programs for a function's exit are attached by the same method as those for its entry. */
export function methodOf(section: string): AttachMethod {
  const [kind = ''] = section.replace(/^\?/, '').split('/');
  return attachMethods.find((method) => method === kind.replace('fexit', 'fentry')) ?? 'lsm';
}

/** Returns the hook of a program of the full profile. */
export const hookOf = (program: string): string => program.replace(/_(fentry|kprobe)$/, '');

/**
 * Returns a predicate: whether the kernel has the function, LSM hook or raw tracepoint of a section. It looks
 * them up in BTF: having the kernel reject each impossible program would take seconds.
 */
export function hookFinder(): (section: string) => boolean {
  const exists = kernelNames();
  return (section) => {
    const [kind = '', hook = ''] = section.replace(/^\?/, '').split('/');
    return exists(`${BTF_PREFIXES[kind] ?? ''}${hook}`);
  };
}

/**
 * All methods depend on the function tracer. While it is off, hooks attach but are never called, and after detaching
 * them Linux 6.1 cannot hook the function again until the next boot.
 */
function isFtraceOff(): boolean {
  return existsSync(FTRACE) && readFileSync(FTRACE, 'utf8').trim() === '0';
}

/**
 * Tests each method by attaching a program for a moment and checking that the kernel calls it, because neither the
 * kernel's version nor its configuration is sufficient. Throws BpfError if the object can't be opened.
 * @param allowed methods to test; others are reported as unusable
 */
export function testMethods(path: string, allowed: readonly AttachMethod[]): MethodProblems {
  if (isFtraceOff()) return { lsm: FTRACE_OFF, fentry: FTRACE_OFF, kprobe: FTRACE_OFF };
  const problems: Partial<Record<AttachMethod, string | undefined>> = {};
  for (const method of attachMethods)
    problems[method] = allowed.includes(method) ? testMethod(path, method) : 'this method is not allowed';
  return problems as MethodProblems;
}

/** Uses maps of its own that are as small as possible and not pinned. Returns why the method does not work. */
function testMethod(path: string, method: AttachMethod): string | undefined {
  if (method === 'kprobe' && !KPROBE_FILES.some((file) => existsSync(file))) return 'this kernel has no kprobes';
  const name = `${TEST_HOOK}${SUFFIXES[method]}`;
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
    return object.globals['rf_full_called'] === 1 ? undefined : 'it attaches but is never called';
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return error.message.split('\n')[0] ?? '';
  }
}
