/**
 * Errors of the audit trail. The pipeline acts on `fate`: after a `retriable` error nothing was written and the same
 * batch may be retried.
 */
export class AuditError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
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
