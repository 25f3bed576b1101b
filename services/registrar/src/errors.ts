export type RegistrarErrorCode =
  /** The request is malformed or broke off. Use `ringfence enrol` of the same version as the registrar. */
  | 'ERR_REGISTRAR_BAD_REQUEST'
  /** The token is unknown, spent or expired. Ask for another with `ringfence token`. */
  | 'ERR_REGISTRAR_TOKEN'
  /** A request that needs a certificate of this fleet came without a valid one. Enrol with a new token. */
  | 'ERR_REGISTRAR_CERTIFICATE'
  /** The token or certificate does not allow this role, subject or key. Ask for a token for this subject and role. */
  | 'ERR_REGISTRAR_FORBIDDEN'
  /**
   * A member asked for another signing key without the signature of its enrolled one: its certificate may be stolen.
   * Find out who asked; to replace the key, enrol again with a token made for this subject.
   */
  | 'ERR_REGISTRAR_UNPROVEN'
  /**
   * The subject is not enrolled, or the path does not exist. Check the name; the registrar serves POST /enrol,
   * POST /renew, POST /left and GET /standing.
   */
  | 'ERR_REGISTRAR_NOT_FOUND'
  /**
   * The subject is enrolled already, or its key was revoked. Ask for a token made for this subject, or make another
   * key.
   */
  | 'ERR_REGISTRAR_TAKEN'
  /** The body of the request is too large. Use `ringfence enrol`. */
  | 'ERR_REGISTRAR_TOO_LARGE'
  /** This address had ten refusals in a minute. Wait a minute, then correct the request. */
  | 'ERR_REGISTRAR_TOO_MANY'
  /** The registrar itself failed. See its log. */
  | 'ERR_REGISTRAR_FAILED'
  /** The registrar works on as many requests as it may. Retry soon. */
  | 'ERR_REGISTRAR_BUSY';

/** HTTP status of each stable refusal code. */
export const REFUSALS: Readonly<Record<RegistrarErrorCode, number>> = {
  ERR_REGISTRAR_BAD_REQUEST: 400,
  ERR_REGISTRAR_TOKEN: 401,
  ERR_REGISTRAR_CERTIFICATE: 401,
  ERR_REGISTRAR_FORBIDDEN: 403,
  ERR_REGISTRAR_UNPROVEN: 403,
  ERR_REGISTRAR_NOT_FOUND: 404,
  ERR_REGISTRAR_TAKEN: 409,
  ERR_REGISTRAR_TOO_LARGE: 413,
  ERR_REGISTRAR_TOO_MANY: 429,
  ERR_REGISTRAR_FAILED: 500,
  ERR_REGISTRAR_BUSY: 503,
};

export class RegistrarError extends Error {
  readonly code: RegistrarErrorCode;
  /** Facts for the log; the client does not get them */
  readonly facts: object;
  constructor(code: RegistrarErrorCode, message: string, options: { cause?: unknown; facts?: object } = {}) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.facts = options.facts ?? {};
  }
}
