export type CliErrorCode = 'ERR_CLI' | 'ERR_NOT_RUNNING' | 'ERR_USAGE';

/** Something the user can mend: shown without a stack. Exit code 1; with ERR_USAGE 2, the command was not understood. */
export class CliError extends Error {
  readonly code: CliErrorCode;

  constructor(message: string, options: ErrorOptions & { readonly code?: CliErrorCode } = {}) {
    super(message, options);
    this.name = 'CliError';
    this.code = options.code ?? 'ERR_CLI';
  }
}
