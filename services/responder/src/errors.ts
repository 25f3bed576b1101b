export type ResponderErrorCode =
  /**
   * No trusted key has signed the record; it goes to the dead letters and has no effect. Find the program that
   * writes to the bus or to Redis.
   */
  | 'ERR_RESPONDER_FORGED'
  /**
   * The record has the key of another host; it goes to the dead letters. Find the program that writes to the bus.
   */
  | 'ERR_RESPONDER_MISPLACED'
  /**
   * The agent could not be reached, or gave no valid answer. Nothing to do: the command is sent again until it
   * expires; if it lasts, check the agent.
   */
  | 'ERR_RESPONDER_CONTROL'
  /**
   * A state entry can't be read, so the responder stops rather than kill twice or past the limit. Run the version
   * that wrote it, or clear the store.
   */
  | 'ERR_RESPONDER_STATE';

/** An error of the responder. */
export class ResponderError extends Error {
  readonly code: ResponderErrorCode;
  constructor(code: ResponderErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** No trusted key has signed the record. */
export class ForgedRecordError extends ResponderError {
  readonly fate = 'poison';
  readonly record: string;
  readonly id: string;
  readonly keyId: string;
  constructor(record: string, id: string, keyId: string) {
    const by = keyId === '' ? 'is not signed' : `is not signed by a trusted key (${keyId})`;
    super('ERR_RESPONDER_FORGED', `${record} ${id} ${by}: it has no effect; find the program that writes to the bus`);
    this.record = record;
    this.id = id;
    this.keyId = keyId;
  }
}

/** A record with the key of another host: the state of its own host is in another partition. */
export class MisplacedRecordError extends ResponderError {
  readonly fate = 'poison';
  constructor(record: string, id: string, hostId: string, key: string) {
    super(
      'ERR_RESPONDER_MISPLACED',
      `${record} ${id} of host ${hostId} has the key ${key}: it has no effect; find the program that writes to the bus`,
    );
  }
}

/** The agent could not be reached, or gave no valid answer. The command is sent again until it expires. */
export class ControlError extends ResponderError {
  readonly fate = 'retriable';
  readonly commandId: string;
  constructor(commandId: string, reason: string, options?: ErrorOptions) {
    super('ERR_RESPONDER_CONTROL', `command ${commandId}: ${reason}; it is sent again until it expires`, options);
    this.commandId = commandId;
  }
}

/** A state entry can't be read. Without it, the responder could kill twice or beyond the limit. */
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
