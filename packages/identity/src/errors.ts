/** Error codes of identities and enrolment; they are stable. */
export type IdentityErrorCode =
  /**
   * The fleet's authority can't be made or opened in its directory. Check that the directory exists, that its files
   * are whole and that only their owner may read them.
   */
  | 'ERR_IDENTITY_AUTHORITY'
  /**
   * A certificate request names a wrong subject, role or host, or is malformed. Correct the name or role that the
   * message quotes and enrol again.
   */
  | 'ERR_IDENTITY_REQUEST'
  /**
   * The identity of this program is missing, or its files can't be read or written. Enrol it with a new token, or
   * repair the files that the message names.
   */
  | 'ERR_IDENTITY_FILES'
  /** The text is no enrolment token. Pass the whole token as `ringfence token` printed it. */
  | 'ERR_IDENTITY_TOKEN'
  /**
   * The registrar can't be reached, or shows another fleet's certificate. Check the address, that the registrar runs,
   * and that the token is from this fleet.
   */
  | 'ERR_IDENTITY_REGISTRAR'
  /** The registrar refused the request. See the registrar's own code in the message (`ERR_REGISTRAR_…`). */
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
