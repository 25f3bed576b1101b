/** What the bus has to know of schemas; `@ringfence/wire` knows the rest. Fingerprints are CRC-64-AVRO, hex, as they stand in a frame. */
export interface SchemaBook {
  /** every schema that this program's version has */
  ours(): readonly OwnSchema[];
  /** Whether records with this fingerprint can be decoded. */
  knows(fingerprint: string): boolean;
  /** Makes records of a schema decodable. null: it is of no record that this program knows. Throws when no reader of ours can resolve it. */
  learn(schema: string): { readonly name: string; readonly fingerprint: string } | null;
}

export interface OwnSchema {
  /** `RawBatch` */
  readonly name: string;
  readonly fingerprint: string;
  /** JSON, self-contained */
  readonly schema: string;
}
