export type CliErrorCode = 'ERR_CLI' | 'ERR_NOT_RUNNING';

/** Something the user can mend: shown without a stack, exit code 1. */
export class CliError extends Error {
  readonly code: CliErrorCode;

  constructor(message: string, options: ErrorOptions & { readonly code?: CliErrorCode } = {}) {
    super(message, options);
    this.name = 'CliError';
    this.code = options.code ?? 'ERR_CLI';
  }
}
