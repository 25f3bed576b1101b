/** An error with a stable code that callers and log searches can match; docs/ERRORS.md lists the codes. */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

export type OperatorErrorCode =
  /** A command or a start can't go on. The message names the cause and what to change. */
  | 'ERR_CLI'
  /**
   * The registrar has revoked this service, which ends. If its machine is sound, enrol it again with a token for its
   * name.
   */
  | 'ERR_REVOKED'
  /** No `ringfence up` answers on the socket. Start one, or run the command as its user and with its settings. */
  | 'ERR_NOT_RUNNING'
  /**
   * The operator log of the host can't be written, so that the action would have no record, and was not begun. Check
   * the state directory and its disk.
   */
  | 'ERR_OPERATOR_LOG'
  /** The arguments of a command do not fit together. See its `--help`. */
  | 'ERR_USAGE';

/** A problem that the operator can fix: printed without a stack. Exit code 1; for ERR_USAGE 2. */
export class OperatorError extends CodedError<OperatorErrorCode> {
  constructor(message: string, options: ErrorOptions & { readonly code?: OperatorErrorCode } = {}) {
    super(options.code ?? 'ERR_CLI', message, options);
  }
}

/** Returns the message of an error, or the text of a thrown value that is not an Error. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
