/** An error at one place of a condition, an output or a threshold. Internal: callers get a Diagnostic. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: string;
  /** Offset in the text that was being read, in UTF-16 units. */
  readonly at: number;
  readonly #hint: string | (() => string);

  /**
   * @param hint a function if the hint searches many names: it is called only when the fault is reported, and over the
   * limit of a file faults are only counted
   */
  constructor(code: string, at: number, message: string, hint: string | (() => string) = '') {
    super(message);
    this.code = code;
    this.at = at;
    this.#hint = hint;
  }

  get hint(): string {
    return typeof this.#hint === 'string' ? this.#hint : this.#hint();
  }

  /** Returns the same fault at another place. */
  movedTo(at: number): Fault {
    return new Fault(this.code, at, this.message, this.#hint);
  }
}

export type RulesErrorCode =
  /**
   * A saved entry of a rule's state can't be restored; the detector drops and counts it (`damagedEntries`). Delete the
   * entry if it stops another program.
   */
  'ERR_RULES_STATE';

/** A saved entry of a rule's state can't be read: another program or another version wrote it. */
export class StateError extends Error {
  override readonly name = 'StateError';
  readonly code: RulesErrorCode = 'ERR_RULES_STATE';
  readonly key: string;

  constructor(key: string, why: string, options?: ErrorOptions) {
    super(
      `the saved state ${JSON.stringify(key)} of a rule can't be restored: ${why}; delete the entry to start anew`,
      options,
    );
    this.key = key;
  }
}
