import { existsSync } from 'node:fs';
import { BpfError, type BpfObject, type BpfProgram } from '@ringfence/libbpf-ts';

/**
 * Prefixes of the kernel's functions for system calls, preferred one first. They take the caller's registers
 * (CONFIG_ARCH_HAS_SYSCALL_WRAPPER, Linux 4.17). On x86, BTF lists a system call without arguments under the second
 * prefix.
 */
const PREFIXES = process.arch === 'arm64' ? ['__arm64_sys_'] : ['__x64_sys_', '__do_sys_'];
const TRACEPOINT = /^tracepoint\/syscalls\/sys_(enter|exit)_(\w+)$/;
const TRACEPOINTS = '/sys/kernel/tracing/events/syscalls';

interface SystemCall {
  /** name in the kernel's sources */
  readonly name: string;
  /** candidates for the kernel's function, preferred one first */
  readonly functions: readonly string[];
  readonly when: 'fentry' | 'fexit';
}

/** Returns the system call of a tracepoint section, or undefined for any other section. */
export function systemCallOf(section: string): SystemCall | undefined {
  const [, side, name] = TRACEPOINT.exec(section) ?? [];
  if (name === undefined) return undefined;
  return { name, functions: PREFIXES.map((prefix) => `${prefix}${name}`), when: side === 'enter' ? 'fentry' : 'fexit' };
}

/**
 * Returns the sections of system calls for which this kernel has a tracepoint but no function to trace. If there is
 * one, all programs stay on tracepoints: a single attached tracepoint slows down every system call of the machine.
 */
export function sectionsWithoutFunction(
  object: BpfObject,
  isTraceable: (section: string) => boolean,
): readonly string[] {
  const sections = new Set([...object.programs.values()].map(({ section }) => section));
  return [...sections].filter((section) => {
    const call = systemCallOf(section);
    return (
      call !== undefined &&
      !call.functions.some((name) => isTraceable(`${call.when}/${name}`)) &&
      existsSync(section.replace('tracepoint/syscalls', TRACEPOINTS))
    );
  });
}

/**
 * Makes the programs of system calls trace the kernel's functions instead of tracepoints. Call it before the object is
 * loaded. Returns the programs whose system call this kernel lacks; they are not loaded.
 */
export function traceFunctions(object: BpfObject): readonly string[] {
  const absent: string[] = [];
  object.globals['rf_functions'] = true;
  for (const program of object.programs.values()) {
    const call = program.autoload ? systemCallOf(program.section) : undefined;
    if (call === undefined) continue;
    if (call.functions.some((name) => traceFunction(program, name, call.when))) continue;
    program.autoload = false;
    absent.push(program.name);
  }
  return absent;
}

/** Returns false if the kernel has no such function. */
function traceFunction(program: BpfProgram, name: string, when: SystemCall['when']): boolean {
  try {
    program.traceFunction(name, when);
    return true;
  } catch (error) {
    if (!(error instanceof BpfError) || error.code !== 'ERR_BPF_NOT_FOUND') throw error;
    return false;
  }
}
