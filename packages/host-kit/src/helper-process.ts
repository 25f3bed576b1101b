/** What a helper process of the agent asks of the kernel for itself, so that it can't outlive its purpose. */
import { constants } from 'node:os';
import { checked, libc, type Native } from './native.ts';

const PR_SET_PDEATHSIG = 1;
const RLIMIT_CPU = 0;

const prctl: Native<[number, number, number, number, number], number> = libc.func(
  'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
);
const setrlimit: Native<[number, BigUint64Array], number> = libc.func(
  'int setrlimit(int resource, const uint64_t *limit)',
);
const setns: Native<[number, number], number> = libc.func('int setns(int fd, int type)');

/**
 * Makes the kernel kill this process when the thread that started it ends, even by SIGKILL. Returns false if the parent
 * is no longer `parent`: it has ended before the call.
 */
export function dieWithParent(parent: number): boolean {
  checked('prctl', prctl(PR_SET_PDEATHSIG, constants.signals.SIGKILL, 0, 0, 0));
  return process.ppid === parent;
}

/** Makes the kernel kill this process when it has used this much CPU time. Throws SystemCallError. */
export function limitCpuSeconds(seconds: number): void {
  const limit = BigInt(Math.ceil(seconds));
  checked('setrlimit', setrlimit(RLIMIT_CPU, new BigUint64Array([limit, limit])));
}

/** Moves the calling thread to another namespace (setns(2), CLONE_NEW…). Throws SystemCallError. */
export function enterNamespace(fd: number, type: number): void {
  checked('setns', setns(fd, type));
}
