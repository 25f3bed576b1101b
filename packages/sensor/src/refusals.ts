import { callNumber } from '@ringfence/fields';
import { BpfError, type BpfObject } from '@ringfence/libbpf-ts';
import { systemCallOf } from './syscalls.ts';

/** Runs, when seccomp refuses a call, the program of that call's end. */
export const REFUSED = 'call_refused';
const JUDGE = '__secure_computing';
const PROGRAMS = 'rf_refused';
/** Of calls with two programs, the one that has nothing to say when the call fails. */
const ONLY_WHEN_DONE: ReadonlySet<string> = new Set(['setns_exit', 'unshare_exit']);

/**
 * Before load, of an object that shares its maps with the sensor's: instead of the sensor's programs those of the ends of system calls, to be run for calls
 * that seccomp refuses. These never come to the kernel's functions, around which the sensor's own programs are.
 * @throws ERR_BPF_NOT_FOUND when the kernel can't say what seccomp refuses
 */
function prepareRefusals(object: BpfObject): void {
  object.globals['rf_functions'] = true;
  object.globals['rf_refusals'] = true;
  for (const program of object.programs.values()) {
    const wanted = program.autoload && !ONLY_WHEN_DONE.has(program.name) && numberOf(program.section) !== undefined;
    if (wanted) program.traceFunction(JUDGE, 'fexit');
    program.autoload = wanted || program.name === REFUSED;
  }
}

/** After load. */
function fillRefusals(object: BpfObject): void {
  const byNumber = object.map(PROGRAMS);
  for (const program of object.programs.values()) {
    const number = program.loaded ? numberOf(program.section) : undefined;
    if (number !== undefined) byNumber.set(number, program.fd);
  }
}

/** Of the system call at whose end the program runs. */
function numberOf(section: string): number | undefined {
  const call = systemCallOf(section);
  return call?.when === 'fexit' ? callNumber(call.name) : undefined;
}

/** @param open an object that will share its maps with the sensor's. Returns it, loaded; or why there is none */
export function loadRefusals(open: () => BpfObject): BpfObject | string {
  const object = open();
  try {
    prepareRefusals(object);
    object.load();
    fillRefusals(object);
    return object;
  } catch (error) {
    object[Symbol.dispose]();
    if (!(error instanceof BpfError)) throw error;
    return error.message.split('\n')[0] ?? '';
  }
}
