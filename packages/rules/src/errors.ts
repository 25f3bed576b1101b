/** What is wrong at one place of a condition, an output or a threshold. Internal: callers get a Diagnostic. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: string;
  readonly hint: string;
  /** offset in the text that was being read, in UTF-16 units */
  readonly at: number;

  constructor(code: string, at: number, message: string, hint = '') {
    super(message);
    this.code = code;
    this.at = at;
    this.hint = hint;
  }
}

/** A saved entry of what rules remember that can't be read: this program did not write it, or another version of it did. */
export class StateError extends Error {
  override readonly name = 'StateError';
  readonly code = 'ERR_RULES_STATE';
  readonly key: string;

  constructor(key: string, why: string, options?: ErrorOptions) {
    super(
      `what a rule remembered of ${JSON.stringify(key)} can't be restored: ${why}; delete the entry to start anew`,
      options,
    );
    this.key = key;
  }
}
