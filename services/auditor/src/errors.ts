export type AuditErrorCode =
  /**
   * The trail has no room, although everything that may go has gone; the bus keeps the records. Make room on the disk
   * or raise `auditor.maxBytes`.
   */
  | 'ERR_AUDIT_FULL'
  /** Another process holds the file for writing. Stop it, or name another file. */
  | 'ERR_AUDIT_BUSY'
  /**
   * The file can't be opened, read or written, or is damaged. Check the disk and the permissions; a damaged file is
   * kept aside at the next start.
   */
  | 'ERR_AUDIT_STORAGE'
  /** A newer version of this program wrote the file. Run the version that wrote it, or name another file. */
  | 'ERR_AUDIT_VERSION'
  /**
   * There is no audit trail at this path, or this user may not see it. Run the command with the state directory and
   * the user of `ringfence up`.
   */
  | 'ERR_AUDIT_MISSING'
  /** The search text has no word, or too many. Give at least one word with a letter or a digit. */
  | 'ERR_AUDIT_QUERY'
  /** The audit thread failed or ended. See the cause in the log, and start the service again if no supervisor does. */
  | 'ERR_AUDIT_THREAD'
  /**
   * The cluster is away, slow, full or read-only, or refuses the user; the bus keeps the records. Follow the advice
   * in the message, which goes by the status.
   */
  | 'ERR_AUDIT_CLUSTER'
  /**
   * The cluster gave an answer that no retry can change: a cluster of another kind, or a name that is taken. Compare
   * `auditor.sink` and the names with the cluster.
   */
  | 'ERR_AUDIT_CLUSTER_REQUEST'
  /**
   * The cluster can't be used as it is set up. Correct what the message names, in the cluster or under
   * `auditor.elasticsearch`.
   */
  | 'ERR_AUDIT_CLUSTER_SETUP'
  /**
   * The cluster refused a document for its content; the record itself is in the audit stream. Correct the index's
   * mapping.
   */
  | 'ERR_AUDIT_REJECTED';

/**
 * Errors of the audit trail. The pipeline acts on `fate`: after a `retriable` error nothing was written and the same
 * batch may be retried.
 */
export class AuditError extends Error {
  readonly code: AuditErrorCode;
  constructor(code: AuditErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The store is full although everything droppable was dropped. Back-pressure: the bus keeps the records. */
export class AuditFullError extends AuditError {
  readonly fate = 'retriable';
  readonly path: string;
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(
      'ERR_AUDIT_FULL',
      `${path}: ${reason}; nothing was written: free disk space or raise auditor.maxBytes`,
      options,
    );
    this.path = path;
  }
}

/** Another process held the file's write lock for longer than the timeout. */
export class AuditBusyError extends AuditError {
  readonly fate = 'retriable';
  readonly path: string;
  constructor(path: string, options?: ErrorOptions) {
    super(
      'ERR_AUDIT_BUSY',
      `${path} is locked by another process: stop it, or set auditor.path to another file`,
      options,
    );
    this.path = path;
  }
}

/** The file cannot be opened, read or written, or SQLite found it damaged. */
export class AuditStorageError extends AuditError {
  readonly path: string;
  readonly sqliteCode: string;
  constructor(path: string, sqliteCode: string, options: { cause: unknown }) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause);
    super('ERR_AUDIT_STORAGE', `${path}: ${reason} (${sqliteCode}); a damaged file is moved aside at the next start`, {
      cause: options.cause,
    });
    this.path = path;
    this.sqliteCode = sqliteCode;
  }
}

/** The file was written by a newer version of this program. */
export class AuditVersionError extends AuditError {
  readonly path: string;
  readonly found: number;
  readonly known: number;
  constructor(path: string, found: number, known: number) {
    super(
      'ERR_AUDIT_VERSION',
      `${path} has format ${found}, but this program supports ${known}: run the version that wrote it, or set auditor.path to another file`,
    );
    this.path = path;
    this.found = found;
    this.known = known;
  }
}

/** The audit trail does not exist. */
export class AuditMissingError extends AuditError {
  readonly path: string;
  constructor(path: string, options?: ErrorOptions) {
    super(
      'ERR_AUDIT_MISSING',
      `${path} does not exist or cannot be accessed: check the state directory, and run as the user that runs \`ringfence up\``,
      options,
    );
    this.path = path;
  }
}

/** The search text is invalid. */
export class AuditQueryError extends AuditError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_AUDIT_QUERY', message, options);
  }
}
