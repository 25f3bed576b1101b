/** HTTP status of each stable refusal code. */
export const REFUSALS = {
  ERR_REGISTRAR_BAD_REQUEST: 400,
  ERR_REGISTRAR_TOKEN: 401,
  ERR_REGISTRAR_CERTIFICATE: 401,
  ERR_REGISTRAR_FORBIDDEN: 403,
  ERR_REGISTRAR_NOT_FOUND: 404,
  ERR_REGISTRAR_TAKEN: 409,
  ERR_REGISTRAR_TOO_LARGE: 413,
  ERR_REGISTRAR_TOO_MANY: 429,
  ERR_REGISTRAR_FAILED: 500,
  ERR_REGISTRAR_BUSY: 503,
} as const;

export type RegistrarErrorCode = keyof typeof REFUSALS;

export class RegistrarError extends Error {
  readonly code: RegistrarErrorCode;
  constructor(code: RegistrarErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
