import { CodedError } from '@ringfence/base';

export type BaselineErrorCode =
  /** A baseline file is damaged, was changed, or is not a baseline. Take a new one, or name the right file. */
  'ERR_COLLECTOR_BASELINE';

export class BaselineError extends CodedError<BaselineErrorCode> {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_COLLECTOR_BASELINE', message, options);
  }
}
