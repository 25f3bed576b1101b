/** Errors of the test servers. `code` is stable; the message says what happened, to what, and what to do. */
export class TestServerError extends Error {
  readonly code: `ERR_TESTKIT_${string}`;
  constructor(code: `ERR_TESTKIT_${string}`, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
