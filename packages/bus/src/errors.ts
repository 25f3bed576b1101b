export type BusErrorCode =
  /** The bus has no room, and nothing was written. Wait for its consumers, free the disk, or raise `bus.maxBytes`. */
  | 'ERR_BUS_FULL'
  /** The brokers are away or refuse for now. The service retries by itself; check the brokers if it lasts. */
  | 'ERR_BUS_UNAVAILABLE'
  /**
   * The brokers refuse a password, a certificate, a right or a version, as the reason says. Check `bus.kafka` and the
   * rights of this client.
   */
  | 'ERR_BUS_REFUSED'
  /** Another process writes to this bus. Stop the process that the message names, or use another path. */
  | 'ERR_BUS_LOCKED'
  /**
   * The bus or consumer was used after it had been closed. Open a new one; report it as a bug if a service did this.
   */
  | 'ERR_BUS_CLOSED'
  /**
   * A partition went to another member of the group while a batch of it was in hand. Nothing to do: the other member
   * processes its records.
   */
  | 'ERR_BUS_ASSIGNMENT_LOST'
  /** The topic does not exist. Make it with `ringfence topics apply`, or name it in `ensureTopics` first. */
  | 'ERR_BUS_UNKNOWN_TOPIC'
  /**
   * The topic has a bad name or numbers, or exists with other partitions or compaction. Compare it with `ringfence
   * topics plan`.
   */
  | 'ERR_BUS_TOPIC_SPEC'
  /**
   * The record is too large, or a tombstone on a topic that is not compacted; nothing of the call was written. Report
   * it as a bug, unless a broker takes less than 2 MiB.
   */
  | 'ERR_BUS_BAD_RECORD'
  /**
   * A call broke the port's contract: two polls at once, an undeclared store, a second consumer of a group. Correct
   * the caller.
   */
  | 'ERR_BUS_USAGE'
  /**
   * SQLite reported damage or an I/O error. Check the disk and the permissions; a damaged file is moved aside at the
   * next start.
   */
  | 'ERR_BUS_STORAGE'
  /**
   * The file was written by another version or another program, and is left as it is. Use the program that wrote it,
   * or another path.
   */
  | 'ERR_BUS_FORMAT';

/**
 * Errors of the bus. `code` is stable; the message says what happened, to what, and what to do; facts are properties.
 * A driver's package brings codes of its own.
 */
export class BusError<Code extends string = string> extends Error {
  readonly code: Code;
  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** No room; nothing was written. Back-pressure: wait and try again. */
export class BusFullError extends BusError<BusErrorCode> {
  readonly usedBytes: number;
  readonly maxBytes: number;
  /** what the file system can still give; 0 when it said "full" itself */
  readonly availableBytes: number;
  constructor(usedBytes: number, maxBytes: number, availableBytes: number, options?: { cause?: unknown }) {
    const facts = `it uses ${usedBytes} of ${maxBytes} bytes, and the disk has ${availableBytes} left`;
    super(
      'ERR_BUS_FULL',
      `the bus is full: ${facts}; nothing was written. Wait for its consumers, free the disk, or raise bus.maxBytes`,
      options,
    );
    this.usedBytes = usedBytes;
    this.maxBytes = maxBytes;
    this.availableBytes = availableBytes;
  }
}

/** The brokers are away, or refuse for now. What was asked may or may not have been done: it can be asked again as it is. */
export class BusUnavailableError extends BusError<BusErrorCode> {
  readonly fate = 'retriable';
  /** what the broker said, by Kafka's name, or NETWORK, TIMEOUT, AUTHENTICATION */
  readonly reason: string;
  constructor(what: string, reason: string, said: string, options?: { cause?: unknown }) {
    super(
      'ERR_BUS_UNAVAILABLE',
      `${what} could not be done now (${reason}): ${said}; it is safe to try again`,
      options,
    );
    this.reason = reason;
  }
}

/** The brokers answer, and refuse: a password, a certificate, a permission, a version. Trying again helps only once a person has changed it. */
export class BusRefusedError extends BusError<BusErrorCode> {
  readonly fate = 'retriable';
  readonly reason: string;
  constructor(what: string, reason: string, said: string, options?: { cause?: unknown }) {
    super(
      'ERR_BUS_REFUSED',
      `${what} is refused (${reason}): ${said}; check bus.kafka and the rights of this client`,
      options,
    );
    this.reason = reason;
  }
}

/** Another process writes to this bus. */
export class BusLockedError extends BusError<BusErrorCode> {
  readonly path: string;
  /** 0 when the holder has not said */
  readonly pid: number;
  constructor(path: string, pid: number, options?: { cause?: unknown }) {
    super(
      'ERR_BUS_LOCKED',
      `${path} is being written by process ${pid || '(unknown)'}: stop it, or use another path`,
      options,
    );
    this.path = path;
    this.pid = pid;
  }
}

export class BusClosedError extends BusError<BusErrorCode> {
  constructor(what: string) {
    super('ERR_BUS_CLOSED', `${what} is closed: open a new one`);
  }
}

/** A partition went to another member of the group while a batch of it was in hand. What was written of the batch is written again by the new owner. */
export class AssignmentLostError extends BusError<BusErrorCode> {
  readonly group: string;
  constructor(group: string, what: string, options?: { cause?: unknown }) {
    super(
      'ERR_BUS_ASSIGNMENT_LOST',
      `group ${group}: ${what} went to another member before the commit; its records are processed there`,
      options,
    );
    this.group = group;
  }
}

export class UnknownTopicError extends BusError<BusErrorCode> {
  readonly topic: string;
  constructor(topic: string) {
    super('ERR_BUS_UNKNOWN_TOPIC', `topic "${topic}" does not exist: name it in ensureTopics first`);
    this.topic = topic;
  }
}

/** A topic exists with other partitions or compaction, or its specification is out of bounds. */
export class TopicSpecError extends BusError<BusErrorCode> {
  readonly topic: string;
  constructor(topic: string, reason: string) {
    super('ERR_BUS_TOPIC_SPEC', `topic "${topic}": ${reason}`);
    this.topic = topic;
  }
}

/** A record that no bus can carry. Nothing of the call was written. */
export class BadRecordError extends BusError<BusErrorCode> {
  readonly topic: string;
  constructor(topic: string, reason: string) {
    super('ERR_BUS_BAD_RECORD', `record for topic "${topic}": ${reason}`);
    this.topic = topic;
  }
}

/** A call that breaks the port's contract: an undeclared store, two polls at once, a group already in use. */
export class BusUsageError extends BusError<BusErrorCode> {
  constructor(message: string) {
    super('ERR_BUS_USAGE', message);
  }
}

/** SQLite reported damage or an I/O error. */
export class BusStorageError extends BusError<BusErrorCode> {
  readonly path: string;
  readonly sqliteCode: string;
  constructor(path: string, sqliteCode: string, options: { cause: unknown }) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause);
    super(
      'ERR_BUS_STORAGE',
      `${path}: ${reason} (${sqliteCode}): check the disk and the permissions; a damaged file is moved aside at the next start`,
      options,
    );
    this.path = path;
    this.sqliteCode = sqliteCode;
  }
}

/** A file that another version of the program, or another program, wrote. It is left as it is. */
export class BusFormatError extends BusError<BusErrorCode> {
  readonly path: string;
  readonly format: number;
  constructor(path: string, format: number, expected: number) {
    super(
      'ERR_BUS_FORMAT',
      `${path} has format ${format}, this program knows ${expected}: use the program that wrote it, or another path`,
    );
    this.path = path;
    this.format = format;
  }
}
