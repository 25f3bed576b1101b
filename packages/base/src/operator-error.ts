import { CodedError } from './coded-error.ts';

export type OperatorErrorCode =
  /** A command or a start can't go on. The message names the cause and what to change. */
  | 'ERR_CLI'
  /** No `ringfence up` answers on the socket. Start one, or run the command as its user and with its settings. */
  | 'ERR_NOT_RUNNING';

/** A problem that the operator can fix: printed without a stack, exit code 1. */
export class OperatorError extends CodedError<OperatorErrorCode> {
  constructor(message: string, options: ErrorOptions & { readonly code?: OperatorErrorCode } = {}) {
    super(options.code ?? 'ERR_CLI', message, options);
  }
}
