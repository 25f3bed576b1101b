/** An error with a stable code that callers and log searches can match; docs/ERRORS.md lists the codes. */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Returns the message of an error, or the text of a thrown value that is not an Error. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
