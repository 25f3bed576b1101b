/** Errors of the audit trail. `fate` tells the pipeline what to do: retriable means nothing was written and the same batch may come again. */
export class AuditError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** No room, although everything that may go has gone. Back-pressure: the bus keeps the records. */
export class AuditFullError extends AuditError {
  readonly fate = 'retriable';
  readonly path: string;
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(
      'ERR_AUDIT_FULL',
      `${path}: ${reason}; nothing was written: make room on the disk or raise auditor.maxBytes`,
      options,
    );
    this.path = path;
  }
}

/** Another process holds the file for writing, longer than we wait. */
export class AuditBusyError extends AuditError {
  readonly fate = 'retriable';
  readonly path: string;
  constructor(path: string, options?: ErrorOptions) {
    super('ERR_AUDIT_BUSY', `${path} is being written by another process: stop it, or name another file`, options);
    this.path = path;
  }
}

/** The file can't be opened, read or written, or SQLite found it damaged. */
export class AuditStorageError extends AuditError {
  readonly path: string;
  readonly sqliteCode: string;
  constructor(path: string, sqliteCode: string, options: { cause: unknown }) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause);
    super('ERR_AUDIT_STORAGE', `${path}: ${reason} (${sqliteCode}); a damaged file is kept aside at the next start`, {
      cause: options.cause,
    });
    this.path = path;
    this.sqliteCode = sqliteCode;
  }
}

/** Written by a newer version of this program. */
export class AuditVersionError extends AuditError {
  readonly path: string;
  readonly found: number;
  readonly known: number;
  constructor(path: string, found: number, known: number) {
    super(
      'ERR_AUDIT_VERSION',
      `${path} has format ${found}, this program knows ${known}: run the version that wrote it, or name another file`,
    );
    this.path = path;
    this.found = found;
    this.known = known;
  }
}

/** There is no audit trail where one was looked for. */
export class AuditMissingError extends AuditError {
  readonly path: string;
  constructor(path: string, options?: ErrorOptions) {
    super(
      'ERR_AUDIT_MISSING',
      `${path} is not there, or this user may not see it: has \`ringfence up\` run with this state directory, and as whom?`,
      options,
    );
    this.path = path;
  }
}

/** A search that SQLite can't answer. */
export class AuditQueryError extends AuditError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_AUDIT_QUERY', message, options);
  }
}
