import { CodedError } from '@ringfence/base';

export type DemoErrorCode =
  /** The demo can't run. Follow the message, which has the reason and the fix. */
  'ERR_DEMO';

/** In a separate file, so that the attacker does not depend on the sandbox, nor the sandbox on the attacker. */
export class DemoError extends CodedError<DemoErrorCode> {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_DEMO', message, options);
  }
}
