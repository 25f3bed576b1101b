export type CoordinationErrorCode =
  /**
   * Redis does not answer; no kill is carried out meanwhile. The service retries by itself; check `redis.url` and the
   * server.
   */
  | 'ERR_COORDINATION_AWAY'
  /**
   * Redis answered with an error: out of memory, read-only, a wrong password, no permission. Correct the settings of
   * Redis that the message quotes.
   */
  | 'ERR_COORDINATION_REFUSED'
  /** The coordination was used after it had been closed. Report it as a bug. */
  | 'ERR_COORDINATION_CLOSED'
  /**
   * A name, size or time is out of bounds. Report it as a bug, or find the program that writes such names to the bus.
   */
  | 'ERR_COORDINATION_ARGUMENT'
  /** The file belongs to another process. Stop that process, or share a Redis (`redis.url`). */
  | 'ERR_COORDINATION_LOCKED'
  /** A job waits: its handler asked to be called again later. Nothing to do. */
  | 'ERR_COORDINATION_POSTPONED';

/** Base class of this package's errors. `code` is stable; details are properties. */
export class CoordinationError extends Error {
  readonly code: CoordinationErrorCode;
  constructor(code: CoordinationErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The server did not answer. It may or may not have executed the call; every call can be retried. */
export class CoordinationAwayError extends CoordinationError {
  readonly fate = 'retriable';
  readonly call: string;
  constructor(call: string, reason: string, options?: { cause?: unknown }) {
    super('ERR_COORDINATION_AWAY', `${call}: Redis does not answer (${reason}); the call is retried`, options);
    this.call = call;
  }
}

/** The server refused the call: it is out of memory or read-only, or the password or permissions are wrong. */
export class CoordinationRefusedError extends CoordinationError {
  readonly fate = 'retriable';
  readonly call: string;
  constructor(call: string, answer: string, options?: { cause?: unknown }) {
    super('ERR_COORDINATION_REFUSED', `${call}: Redis answered "${answer}"; check its settings`, options);
    this.call = call;
  }
}

export class CoordinationClosedError extends CoordinationError {
  constructor(call: string) {
    super('ERR_COORDINATION_CLOSED', `${call}: the coordination is closed`);
  }
}

/** An invalid name, size or time: a bug in the caller, or untrusted text used as a name. */
export class BadArgumentError extends CoordinationError {
  readonly fate = 'poison';
  constructor(message: string) {
    super('ERR_COORDINATION_ARGUMENT', message);
  }
}

/** Another process uses the file. */
export class CoordinationLockedError extends CoordinationError {
  readonly path: string;
  constructor(path: string, options: { cause: unknown }) {
    super(
      'ERR_COORDINATION_LOCKED',
      `${path} is used by another process: it serves only one process; set redis.url to share a Redis`,
      options,
    );
    this.path = path;
  }
}

/** Thrown by a handler to be called again after `delayMs`, without counting as a failure. */
export class PostponeError extends CoordinationError {
  readonly delayMs: number;
  constructor(delayMs: number, reason: string) {
    super('ERR_COORDINATION_POSTPONED', `postponed by ${delayMs} ms: ${reason}`);
    this.delayMs = delayMs;
  }
}
