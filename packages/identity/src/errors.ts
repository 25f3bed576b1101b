/** Error codes of identities and enrolment; they are stable. */
export type IdentityErrorCode =
  | 'ERR_IDENTITY_AUTHORITY'
  | 'ERR_IDENTITY_REQUEST'
  | 'ERR_IDENTITY_FILES'
  | 'ERR_IDENTITY_TOKEN'
  | 'ERR_IDENTITY_REGISTRAR'
  | 'ERR_IDENTITY_REFUSED';

export class IdentityError extends Error {
  readonly code: IdentityErrorCode;
  constructor(code: IdentityErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The registrar answered and refused the request. */
export class EnrolmentRefusedError extends IdentityError {
  /** HTTP status code */
  readonly status: number;
  /** The registrar's error code, `ERR_REGISTRAR_…` */
  readonly reason: string;
  constructor(status: number, reason: string, message: string) {
    super('ERR_IDENTITY_REFUSED', `the registrar refused (${reason}): ${message}`);
    this.status = status;
    this.reason = reason;
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
