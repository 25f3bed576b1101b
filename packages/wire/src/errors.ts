export type SchemaErrorCode =
  /**
   * The bytes are not framed as an Avro single object. Find the program that writes to the topic; nothing of
   * Ringfence writes such bytes.
   */
  | 'ERR_SCHEMA_FRAME'
  /** The record's schema is unknown here or can't be read by this version. Upgrade the reader before the writer. */
  | 'ERR_SCHEMA_UNKNOWN'
  /** The bytes don't fit their schema. The record goes to the dead letters; find the program that wrote it. */
  | 'ERR_SCHEMA_MALFORMED'
  /** A value can't be written with its schema, or a field doesn't exist in it. Report it as a bug. */
  | 'ERR_SCHEMA_VALUE';

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
