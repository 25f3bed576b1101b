import { getSystemErrorName } from 'node:util';
import { CodedError } from '@ringfence/base';

export type SystemCallErrorCode =
  /**
   * A system call of the agent failed. The message names the call and the error; a missing privilege is the usual
   * cause.
   */
  'ERR_COLLECTOR_SYSTEM_CALL';

/** Errors of Linux that Node has no name for. */
const UNNAMED: ReadonlyMap<number, string> = new Map([[66, 'EREMOTE']]);

export class SystemCallError extends CodedError<SystemCallErrorCode> {
  readonly call: string;
  readonly errno: number;
  readonly errnoName: string;

  constructor(call: string, errno: number) {
    const name = UNNAMED.get(errno) ?? getSystemErrorName(-errno);
    super('ERR_COLLECTOR_SYSTEM_CALL', `${call} failed with ${name}`);
    this.call = call;
    this.errno = errno;
    this.errnoName = name;
  }
}
