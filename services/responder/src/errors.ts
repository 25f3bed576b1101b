/** Errors of the responder. `fate` tells the pipeline what to do with the record in hand. */
export class ResponderError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A record on `ringfence.commands` that this responder did not sign. It is never sent. */
export class ForgedCommandError extends ResponderError {
  readonly fate = 'poison';
  readonly commandId: string;
  readonly keyId: string;
  constructor(commandId: string, keyId: string) {
    super(
      'ERR_RESPONDER_FORGED',
      `command ${commandId} is not signed by this responder (key ${keyId}): it is not sent; who else writes to ringfence.commands?`,
    );
    this.commandId = commandId;
    this.keyId = keyId;
  }
}

/** The agent could not be reached, or did not answer as agreed. The command is sent again until it expires. */
export class ControlError extends ResponderError {
  readonly fate = 'retriable';
  readonly commandId: string;
  constructor(commandId: string, reason: string, options?: ErrorOptions) {
    super('ERR_RESPONDER_CONTROL', `command ${commandId}: ${reason}; it is sent again until it expires`, options);
    this.commandId = commandId;
  }
}

/** What the responder remembered can't be read. Going on without it could kill twice or past the limit. */
export class StateError extends ResponderError {
  readonly store: string;
  constructor(store: string, options: ErrorOptions) {
    super(
      'ERR_RESPONDER_STATE',
      `${store} holds an entry that this version can't read: run the version that wrote it, or clear the store`,
      options,
    );
    this.store = store;
  }
}

/** Something wrong in a policy file. */
export interface PolicyProblem {
  readonly file: string;
  /** from 1 */
  readonly line: number;
  /** from 1 */
  readonly column: number;
  readonly message: string;
}
