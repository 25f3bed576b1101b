export type BenchErrorCode =
  /** the command line was not understood */
  | 'ERR_BENCH_USAGE'
  /** something that is needed is not there, or a program would not start */
  | 'ERR_BENCH_SETUP'
  /** the measured program ended, or did not answer in time */
  | 'ERR_BENCH_AGENT';

export class BenchError extends Error {
  override readonly name = 'BenchError';
  readonly code: BenchErrorCode;

  constructor(code: BenchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
