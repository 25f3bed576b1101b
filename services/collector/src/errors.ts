import { CodedError } from '@ringfence/base';

export type CollectorErrorCode =
  /** The spool can't be read or written. Free the disk or fix the permissions of the folder that the message names. */
  | 'ERR_COLLECTOR_SPOOL'
  /** An option of the collector is out of range. The message names the option and its range. */
  | 'ERR_COLLECTOR_OPTIONS'
  /** The collector was closed before it was used. Start another one. */
  | 'ERR_COLLECTOR_CLOSED';

export class CollectorError extends CodedError<CollectorErrorCode> {}

/** The spool can't be read or written. Records stay in the rings. */
export class SpoolError extends CollectorError {
  readonly path: string;

  constructor(path: string, message: string, options?: ErrorOptions) {
    super('ERR_COLLECTOR_SPOOL', `${path}: ${message}`, options);
    this.path = path;
  }
}
