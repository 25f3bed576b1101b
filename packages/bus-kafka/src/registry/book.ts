/**
 * The schemas that this program knows; `@ringfence/wire` implements it. Fingerprints are CRC-64-AVRO in hex, in the
 * byte order of a frame.
 */
export interface SchemaBook {
  /** Returns the schemas with which this version of the program writes. */
  currentSchemas(): readonly CurrentSchema[];
  /** Returns whether records with this fingerprint can be decoded. */
  knows(fingerprint: string): boolean;
  /**
   * Makes records of a schema decodable. Returns null for a record type that this program does not know. Throws when
   * the schema is incompatible with the current one.
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
