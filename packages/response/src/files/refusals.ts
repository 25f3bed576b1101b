import { messageOf } from '@ringfence/base';
import { SystemCallError } from '@ringfence/host-kit';
import { ActionRefusedError, type RefusedReason } from '../errors.ts';

/** Why a file system does not carry out a call: text for people by the name of the error. */
const CAUSES: Readonly<Record<string, readonly [RefusedReason, string]>> = {
  EROFS: ['not-possible', 'its file system is read-only'],
  ENOSPC: ['not-possible', 'there is no space for it'],
  EDQUOT: ['not-possible', 'the quota leaves no space for it'],
  EPERM: ['not-possible', 'the kernel forbids it: a capability is missing, or the folder is immutable (lsattr -d)'],
  EACCES: ['not-possible', 'the kernel forbids it: a capability is missing'],
  EBUSY: ['not-possible', 'it is a mount point'],
  EOPNOTSUPP: ['not-possible', 'its file system lacks a call that a restore needs'],
  ENOTSUP: ['not-possible', 'its file system lacks a call that a restore needs'],
  EREMOTE: ['not-possible', 'another machine or process serves its file system'],
  EAGAIN: ['not-verifiable', 'a process has a lease on it and does not give it up'],
  ELOOP: ['not-the-target', 'a part of its path is a symbolic link now'],
};

export const errnoName = (error: unknown): string =>
  error instanceof SystemCallError ? error.errnoName : ((error as NodeJS.ErrnoException | null)?.code ?? '');

/** Whether there is no file at a path. */
export const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(errnoName(error));

/** Returns the refusal that an error of the file system stands for, or the error itself. */
export function asRefusal(error: unknown, path: string): unknown {
  const cause = CAUSES[errnoName(error)];
  if (cause === undefined || error instanceof ActionRefusedError) return error;
  return new ActionRefusedError(cause[0], `${path}: ${cause[1]} (${messageOf(error)})`, { cause: error });
}
