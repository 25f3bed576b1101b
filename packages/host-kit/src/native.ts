import koffi, { type LibraryHandle } from 'koffi';
import { SystemCallError } from './errors.ts';

export const libc: LibraryHandle = koffi.load('libc.so.6');

export type Native<A extends unknown[], R> = (...args: A) => R;

/** A function that can also run on Node's thread pool. Its errno is lost there. */
export interface AsyncNative<A extends unknown[], R> {
  (...args: A): R;
  async(...args: [...A, (error: Error | null, result: R) => void]): void;
}

/** Returns the errno of the last call on this thread. Read it before any other call. */
export const lastErrno = (): number => koffi.errno();

/** Throws SystemCallError if the call has failed. */
export function checked(call: string, result: number): number {
  if (result < 0) throw new SystemCallError(call, lastErrno());
  return result;
}
