import { CodedError } from '@ringfence/base';

export type ForwarderErrorCode =
  /**
   * The far side of a sink does not answer, or refuses for now (no access, overload, an error of its own). Nothing is
   * lost: the sink sends the same records again. The message says what to check.
   */
  | 'ERR_SINK_UNAVAILABLE'
  /**
   * The far side of a sink refuses a record for good. It goes to the dead letters with the reason; correct the sink's
   * settings, then send it again with `ringfence sinks replay`.
   */
  | 'ERR_SINK_REFUSED'
  /** No trusted key has signed the record; no sink gets it. Find the program that writes to the bus. */
  | 'ERR_SINK_FORGED'
  /** A secret of a sink can't be read. Create the file or the variable that the message names. */
  | 'ERR_SINK_SECRET'
  /** Files of sinks have mistakes. Correct each at its line and column; `ringfence sinks check` shows them too. */
  | 'ERR_SINK_SETTINGS';

/** The batch is sent again. */
export class SinkUnavailableError extends CodedError<ForwarderErrorCode> {
  readonly fate = 'retriable';
  constructor(sink: string, reason: string, options?: ErrorOptions) {
    super('ERR_SINK_UNAVAILABLE', `sink ${sink}: ${reason}`, options);
  }
}

/** Of a batch, the records are sent singly; a single record becomes a dead letter. */
export class SinkRefusedError extends CodedError<ForwarderErrorCode> {
  readonly fate = 'poison';
  constructor(sink: string, reason: string, options?: ErrorOptions) {
    super('ERR_SINK_REFUSED', `sink ${sink}: refused: ${reason}`, options);
  }
}

export class SinkForgedError extends CodedError<ForwarderErrorCode> {
  readonly fate = 'poison';
  constructor(kind: string, id: string, keyId: string) {
    const by = keyId === '' ? 'is not signed' : `is not signed by a trusted key (${keyId})`;
    super('ERR_SINK_FORGED', `${kind} ${id} ${by}: no sink gets it; find the program that writes to the bus`);
  }
}

/** The file may appear later: the batch is tried again. */
export class SinkSecretError extends CodedError<ForwarderErrorCode> {
  readonly fate = 'retriable';
  constructor(reference: string, reason: string, options?: ErrorOptions) {
    super('ERR_SINK_SECRET', `the secret ${reference} can't be read: ${reason}`, options);
  }
}

export class SinkSettingsError extends CodedError<ForwarderErrorCode> {
  constructor(message: string) {
    super('ERR_SINK_SETTINGS', message);
  }
}
