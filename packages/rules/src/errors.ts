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

/** A saved threshold entry that can't be read: it was not written by `ThresholdState`, or by another version of it. */
export class ThresholdStateError extends Error {
  override readonly name = 'ThresholdStateError';
  readonly code = 'ERR_RULES_THRESHOLD_STATE';
  readonly key: string;

  constructor(key: string, why: string, options?: ErrorOptions) {
    super(
      `threshold state of ${JSON.stringify(key)} can't be restored: ${why}; delete the entry to start counting anew`,
      options,
    );
    this.key = key;
  }
}
