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

/** No agent of this host is attached here: it may be at another responder, or away. */
export class NotAttachedError extends ControlStreamError {
  readonly fate = 'retriable';
  readonly hostId: string;
  constructor(hostId: string) {
    super('ERR_CONTROL_NOT_ATTACHED', `no agent of host ${hostId} is attached here: wait until it attaches`);
    this.hostId = hostId;
  }
}

/** The stream ended before the answer came: what became of the command is not known here. */
export class ControlLostError extends ControlStreamError {
  readonly fate = 'retriable';
  readonly hostId: string;
  constructor(hostId: string, why: string) {
    super(
      'ERR_CONTROL_LOST',
      `the agent of host ${hostId} left before it answered (${why}): ask again when it is back`,
    );
    this.hostId = hostId;
  }
}

/** Bytes that no agent could be given. */
export class BadCommandError extends ControlStreamError {
  readonly fate = 'poison';
  constructor(why: string, options?: { cause?: unknown }) {
    super('ERR_CONTROL_BAD_COMMAND', `the command can not be sent: ${why}`, options);
  }
}

export class ControlListenError extends ControlStreamError {
  readonly address: string;
  constructor(address: string, cause: Error) {
    super('ERR_CONTROL_LISTEN', `agents can not be listened for on ${address}: ${cause.message}`, { cause });
    this.address = address;
  }
}
