/**
 * The schemas that this program knows, and whose word it takes for others; the runtime implements it with
 * `@ringfence/wire`. Fingerprints are CRC-64-AVRO in hex, in the byte order of a frame.
 */
export interface SchemaBook {
  /** Returns the schemas with which this version of the program writes. */
  currentSchemas(): readonly CurrentSchema[];
  /** Returns whether records with this fingerprint can be decoded. */
  knows(fingerprint: string): boolean;
  /** Returns how this program sees a schema, without learning it. Throws when the text is not a schema. */
  identify(schema: string): SchemaClaim;
  /**
   * Returns the value under which this process publishes a current schema on the topic, signed with its key. Null for
   * records whose schemas are only read from releases.
   */
  publish(schema: CurrentSchema): Uint8Array | null;
  /** Reads a value of the topic. `at`: when the bus accepted it, µs since the epoch. */
  read(value: Uint8Array, at: number): PublishedSchema;
  /**
   * Makes records of a schema decodable. Returns null for a record type that this program does not know. Throws when
   * the schema is incompatible with the current one. The caller has asked `isTrusted`.
   */
  learn(schema: string): { readonly name: string; readonly fingerprint: string } | null;
}

export interface CurrentSchema {
  /** Name of the record, such as `RawBatch`. */
  readonly name: string;
  readonly fingerprint: string;
  /** JSON, self-contained */
  readonly schema: string;
}

export interface SchemaClaim {
  /** Name of the record; null when this program does not know such a record. */
  readonly name: string | null;
  readonly fingerprint: string;
  /** `conflict`: another schema has this fingerprint, which does not happen by chance. */
  readonly standing: 'known' | 'unknown' | 'conflict';
}

export interface PublishedSchema {
  readonly schema: string;
  /** Returns whether a service that writes these records has signed the schema. */
  isTrusted(record: string): boolean;
}
