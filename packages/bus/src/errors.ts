import { CodedError, messageOf } from '@ringfence/base';

export type BusErrorCode =
  /**
   * The bus has no room, and nothing was written. Wait for its consumers, free the disk, or raise
   * `bus.embedded.maxBytes`.
   */
  | 'ERR_BUS_FULL'
  /** The brokers are away. The service retries by itself; check the brokers if it lasts. */
  | 'ERR_BUS_UNAVAILABLE'
  /**
   * The brokers refuse a password, a certificate, a right or a version; the message has the reason. Check `bus.kafka`
   * and the rights of this client.
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
  /** The topic does not exist. Create it with `ringfence topics apply`, or name it in `ensureTopics` first. */
  | 'ERR_BUS_UNKNOWN_TOPIC'
  /**
   * The topic has an invalid name or numbers, or exists with other partitions or compaction. Compare it with `ringfence
   * topics plan`.
   */
  | 'ERR_BUS_TOPIC_SPEC'
  /**
   * The record is too large, or a tombstone on a topic that is not compacted; nothing of the call was written. Report
   * it as a bug, unless a broker accepts less than 2 MiB.
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

/** Base class of the errors of the bus. Packages of drivers add their own codes. */
export class BusError<Code extends string = string> extends CodedError<Code> {}

/** The bus has no room, and nothing was written. Back-pressure: wait and retry. */
export class BusFullError extends BusError<BusErrorCode> {
  readonly usedBytes: number;
  readonly maxBytes: number;
  /** Free bytes of the file system; 0 when SQLite reported a full disk. */
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

/** The brokers are away. The request may have been executed; a retry is safe. */
export class BusUnavailableError extends BusError<BusErrorCode> {
  readonly fate = 'retriable';
  /** Kafka's name of the error, or NETWORK, TIMEOUT, AUTHENTICATION */
  readonly reason: string;
  constructor(action: string, reason: string, detail: string, options?: { cause?: unknown }) {
    super('ERR_BUS_UNAVAILABLE', `${action} failed (${reason}): ${detail}; it is safe to retry`, options);
    this.reason = reason;
  }
}

/** The brokers refuse a password, a certificate, a permission or a version. A retry fails until someone changes it. */
export class BusRefusedError extends BusError<BusErrorCode> {
  readonly fate = 'retriable';
  readonly reason: string;
  constructor(action: string, reason: string, detail: string, options?: { cause?: unknown }) {
    super(
      'ERR_BUS_REFUSED',
      `${action} was refused (${reason}): ${detail}; check bus.kafka and the rights of this client`,
      options,
    );
    this.reason = reason;
  }
}

/** Another process writes to this bus. */
export class BusLockedError extends BusError<BusErrorCode> {
  readonly path: string;
  /** 0 when the holder has not stored its pid yet. */
  readonly pid: number;
  constructor(path: string, pid: number, options?: { cause?: unknown }) {
    super(
      'ERR_BUS_LOCKED',
      `${path} is in use by process ${pid || '(unknown)'}: stop it, or use another path`,
      options,
    );
    this.path = path;
    this.pid = pid;
  }
}

export class BusClosedError extends BusError<BusErrorCode> {
  constructor(target: string) {
    super('ERR_BUS_CLOSED', `${target} is closed: open a new one`);
  }
}

/** A partition was revoked while a batch of it was in hand. Its new owner processes the batch again. */
export class AssignmentLostError extends BusError<BusErrorCode> {
  readonly group: string;
  constructor(group: string, partitions: string, options?: { cause?: unknown }) {
    super(
      'ERR_BUS_ASSIGNMENT_LOST',
      `group ${group}: ${partitions} went to another member before the commit, which processes the records`,
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

/** A record that no driver accepts. Nothing of the call was written. */
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
    super(
      'ERR_BUS_STORAGE',
      `${path}: ${messageOf(options.cause)} (${sqliteCode}): check the disk and the permissions; a damaged file is moved aside at the next start`,
      options,
    );
    this.path = path;
    this.sqliteCode = sqliteCode;
  }
}

/** A file of another version of this program, or of another program. It is not changed. */
export class BusFormatError extends BusError<BusErrorCode> {
  readonly path: string;
  readonly format: number;
  constructor(path: string, format: number, expected: number) {
    super(
      'ERR_BUS_FORMAT',
      `${path} has format ${format}, expected ${expected}: use the program that wrote it, or another path`,
    );
    this.path = path;
    this.format = format;
  }
}
