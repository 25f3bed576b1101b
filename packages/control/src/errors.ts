export type ControlErrorCode =
  /**
   * No agent of this host is attached to this responder. Nothing to do: the command is routed to its responder; if it
   * lasts, check `control.endpoints` of the agent.
   */
  | 'ERR_CONTROL_NOT_ATTACHED'
  /** The stream ended before the answer came. Nothing to do: the command is sent again when the agent is back. */
  | 'ERR_CONTROL_LOST'
  /** The bytes are too large or no Command. Find the program that writes to `ringfence.commands` or to Redis. */
  | 'ERR_CONTROL_BAD_COMMAND'
  /** The responder can't listen for agents. Set `control.listen` to a free address of this machine. */
  | 'ERR_CONTROL_LISTEN';

/** Errors of the control stream. `code` is stable; the message says what happened, to what, and what to do. */
export class ControlStreamError extends Error {
  readonly code: ControlErrorCode;
  constructor(code: ControlErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The host's agent is not attached to this responder: it may be attached to another one, or offline. */
export class NotAttachedError extends ControlStreamError {
  readonly fate = 'retriable';
  readonly hostId: string;
  constructor(hostId: string) {
    super(
      'ERR_CONTROL_NOT_ATTACHED',
      `the agent of host ${hostId} is not attached to this responder: wait until it attaches`,
    );
    this.hostId = hostId;
  }
}

/** The stream ended before the Result arrived: whether the command was executed is unknown. */
export class ControlLostError extends ControlStreamError {
  readonly fate = 'retriable';
  readonly hostId: string;
  constructor(hostId: string, reason: string) {
    super(
      'ERR_CONTROL_LOST',
      `the stream of host ${hostId} ended before the Result arrived (${reason}): send the command again when it is back`,
    );
    this.hostId = hostId;
  }
}

/** The bytes are not a command that can be sent. */
export class BadCommandError extends ControlStreamError {
  readonly fate = 'poison';
  constructor(reason: string, options?: { cause?: unknown }) {
    super('ERR_CONTROL_BAD_COMMAND', `the command cannot be sent: ${reason}`, options);
  }
}

export class ControlListenError extends ControlStreamError {
  readonly address: string;
  constructor(address: string, cause: Error) {
    super('ERR_CONTROL_LISTEN', `cannot listen for agents on ${address}: ${cause.message}`, { cause });
    this.address = address;
  }
}
