export type SchemaErrorCode = 'ERR_SCHEMA_FRAME' | 'ERR_SCHEMA_UNKNOWN' | 'ERR_SCHEMA_MALFORMED' | 'ERR_SCHEMA_VALUE';

/** A record that can't be read or written. Always poison: the same bytes will fail again. */
export class SchemaError extends Error {
  readonly code: SchemaErrorCode;
  readonly fate = 'poison';

  constructor(code: SchemaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SchemaError';
    this.code = code;
  }
}
