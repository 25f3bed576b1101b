export type SchemaErrorCode =
  /**
   * The bytes are not framed as an Avro single object. Find the program that writes to the topic: no part of
   * Ringfence writes such bytes.
   */
  | 'ERR_SCHEMA_FRAME'
  /** The record's schema is unknown, or this version can't read it. Upgrade readers before writers. */
  | 'ERR_SCHEMA_UNKNOWN'
  /**
   * Another schema has the fingerprint of this one, which does not happen by chance; the first one is used. Find out
   * which program may write to the topic `ringfence.schemas`, the schema registry or the recording.
   */
  | 'ERR_SCHEMA_CONFLICT'
  /** The bytes don't match their schema. The record goes to the dead letters; find the program that wrote it. */
  | 'ERR_SCHEMA_MALFORMED'
  /** A value does not match its schema, or the schema has no such field. Report it as a bug. */
  | 'ERR_SCHEMA_VALUE';

/** A record that can't be read or written. Always poison, because the same bytes would fail again. */
export class SchemaError extends Error {
  readonly code: SchemaErrorCode;
  readonly fate = 'poison';

  constructor(code: SchemaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SchemaError';
    this.code = code;
  }
}
