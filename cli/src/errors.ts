export type CliErrorCode =
  /** The command can't do what was asked. Follow the message, which names the cause. */
  | 'ERR_CLI'
  /**
   * No `ringfence up` answers on its socket. Start it, or give the settings that it runs with (`--config`, `runDir`).
   */
  | 'ERR_NOT_RUNNING';

/** Something the user can mend: shown without a stack, exit code 1. */
export class CliError extends Error {
  readonly code: CliErrorCode;

  constructor(message: string, options: ErrorOptions & { readonly code?: CliErrorCode } = {}) {
    super(message, options);
    this.name = 'CliError';
    this.code = options.code ?? 'ERR_CLI';
  }
}
