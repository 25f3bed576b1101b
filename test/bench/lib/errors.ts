export type BenchErrorCode =
  /** The command line is invalid. */
  | 'ERR_BENCH_USAGE'
  /** A prerequisite is missing, or a program did not start. */
  | 'ERR_BENCH_SETUP'
  /** The measured program ended, or did not answer in time. */
  | 'ERR_BENCH_AGENT';

export class BenchError extends Error {
  override readonly name = 'BenchError';
  readonly code: BenchErrorCode;

  constructor(code: BenchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
