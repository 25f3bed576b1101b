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

/** Errors of the coordination. `code` is stable; the message says what happened, to what, and what to do; facts are properties. */
export class CoordinationError extends Error {
  readonly code: CoordinationErrorCode;
  constructor(code: CoordinationErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The server did not answer. Whether it did what was asked is not known; all calls can be made again. */
export class CoordinationAwayError extends CoordinationError {
  readonly fate = 'retriable';
  readonly call: string;
  constructor(call: string, why: string, options?: { cause?: unknown }) {
    super('ERR_COORDINATION_AWAY', `${call}: redis does not answer (${why}); it is asked again`, options);
    this.call = call;
  }
}

/** It answered, and said no: out of memory, read-only, wrong password, no permission. */
export class CoordinationRefusedError extends CoordinationError {
  readonly fate = 'retriable';
  readonly call: string;
  constructor(call: string, answer: string, options?: { cause?: unknown }) {
    super('ERR_COORDINATION_REFUSED', `${call}: redis answers "${answer}": see to its settings`, options);
    this.call = call;
  }
}

export class CoordinationClosedError extends CoordinationError {
  constructor(call: string) {
    super('ERR_COORDINATION_CLOSED', `${call}: the coordination is closed`);
  }
}

/** A name, size or time that can't be: a bug of the caller, or somebody else's text where a name belongs. */
export class BadArgumentError extends CoordinationError {
  readonly fate = 'poison';
  constructor(message: string) {
    super('ERR_COORDINATION_ARGUMENT', message);
  }
}

/** The file belongs to another process. */
export class CoordinationLockedError extends CoordinationError {
  readonly path: string;
  constructor(path: string, options: { cause: unknown }) {
    super(
      'ERR_COORDINATION_LOCKED',
      `${path} is used by another process: it is for one; several share a Redis (redis.url)`,
      options,
    );
    this.path = path;
  }
}

/** Thrown by a handler: call me again in `delayMs`; this was no failure. */
export class PostponeError extends CoordinationError {
  readonly delayMs: number;
  constructor(delayMs: number, why: string) {
    super('ERR_COORDINATION_POSTPONED', `postponed by ${delayMs} ms: ${why}`);
    this.delayMs = delayMs;
  }
}
