import { callNumber } from '@ringfence/fields';
import { BpfError, type BpfObject } from '@ringfence/libbpf-ts';
import { systemCallOf } from './system-calls.ts';

/** When seccomp rejects a system call, this program runs the program for the end of that call. */
export const REFUSED = 'call_refused';
const SECCOMP_FUNCTION = '__secure_computing';
/** Program array, indexed by the number of the system call. */
const PROGRAM_ARRAY = 'rf_refused';
/** Programs that report nothing when the call fails, of system calls for which there is another program. */
const ONLY_ON_SUCCESS: ReadonlySet<string> = new Set(['setns_exit', 'unshare_exit']);

/**
 * Selects, instead of the sensor's programs, the programs for the ends of system calls. They run for calls that seccomp
 * rejects, which never reach the kernel's functions that the sensor's own programs trace. Call it before loading an
 * object that shares its maps with the sensor.
 * @throws ERR_BPF_NOT_FOUND when the kernel has no function that shows what seccomp rejects
 */
function selectPrograms(object: BpfObject): void {
  object.globals['rf_functions'] = true;
  object.globals['rf_refusals'] = true;
  for (const program of object.programs.values()) {
    const selected =
      program.autoload && !ONLY_ON_SUCCESS.has(program.name) && exitCallNumber(program.section) !== undefined;
    if (selected) program.traceFunction(SECCOMP_FUNCTION, 'fexit');
    program.autoload = selected || program.name === REFUSED;
  }
}

function fillProgramArray(object: BpfObject): void {
  const programs = object.map(PROGRAM_ARRAY);
  for (const program of object.programs.values()) {
    const number = program.loaded ? exitCallNumber(program.section) : undefined;
    if (number !== undefined) programs.set(number, program.fd);
  }
}

/** Returns the number of the system call at whose end a program runs. */
function exitCallNumber(section: string): number | undefined {
  const call = systemCallOf(section);
  return call?.when === 'fexit' ? callNumber(call.name) : undefined;
}

/**
 * Loads the programs for calls that seccomp rejects. Returns the loaded object, or why the kernel does not take it.
 * @param open opens an object that will share its maps with the sensor
 */
export function loadRefusals(open: () => BpfObject): BpfObject | string {
  const object = open();
  try {
    selectPrograms(object);
    object.load();
    fillProgramArray(object);
    return object;
  } catch (error) {
    object[Symbol.dispose]();
    if (!(error instanceof BpfError)) throw error;
    return error.message.split('\n')[0] ?? '';
  }
}
