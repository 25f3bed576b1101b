import { existsSync } from 'node:fs';
import { BpfError, type BpfObject, type BpfProgram } from '@ringfence/libbpf-ts';

/**
 * Of the kernel's functions for system calls (CONFIG_ARCH_HAS_SYSCALL_WRAPPER, Linux 4.17): each takes the caller's registers. On x86 one without arguments is known
 * to the kernel's types by its other name.
 */
const PREFIXES = process.arch === 'arm64' ? ['__arm64_sys_'] : ['__x64_sys_', '__do_sys_'];
const TRACEPOINT = /^tracepoint\/syscalls\/sys_(enter|exit)_(\w+)$/;
const TRACEPOINTS = '/sys/kernel/tracing/events/syscalls';

interface SystemCall {
  /** in the kernel's sources */
  readonly name: string;
  /** the kernel's, the best first */
  readonly functions: readonly string[];
  readonly when: 'fentry' | 'fexit';
}

/** Where a program of a system call goes that doesn't go on its tracepoint; undefined: it is none. */
export function systemCallOf(section: string): SystemCall | undefined {
  const [, side, name] = TRACEPOINT.exec(section) ?? [];
  if (name === undefined) return undefined;
  return { name, functions: PREFIXES.map((prefix) => `${prefix}${name}`), when: side === 'enter' ? 'fentry' : 'fexit' };
}

/**
 * Tracepoints of system calls for which the kernel has no function that a program can be put around. One is enough to leave all on tracepoints: it alone
 * makes every system call dearer.
 */
export function withoutFunction(object: BpfObject, isThere: (section: string) => boolean): readonly string[] {
  const sections = new Set([...object.programs.values()].map(({ section }) => section));
  return [...sections].filter((section) => {
    const call = systemCallOf(section);
    return (
      call !== undefined &&
      !call.functions.some((name) => isThere(`${call.when}/${name}`)) &&
      existsSync(section.replace('tracepoint/syscalls', TRACEPOINTS))
    );
  });
}

/** Before load: all programs of system calls go around the kernel's functions. Returns those of calls that the kernel doesn't have, which aren't loaded. */
export function traceFunctions(object: BpfObject): readonly string[] {
  const absent: string[] = [];
  object.globals['rf_functions'] = true;
  for (const program of object.programs.values()) {
    const call = program.autoload ? systemCallOf(program.section) : undefined;
    if (call === undefined) continue;
    if (call.functions.some((name) => trace(program, name, call.when))) continue;
    program.autoload = false;
    absent.push(program.name);
  }
  return absent;
}

/** false: the kernel has no such function. */
function trace(program: BpfProgram, name: string, when: SystemCall['when']): boolean {
  try {
    program.traceFunction(name, when);
    return true;
  } catch (error) {
    if (!(error instanceof BpfError) || error.code !== 'ERR_BPF_NOT_FOUND') throw error;
    return false;
  }
}
