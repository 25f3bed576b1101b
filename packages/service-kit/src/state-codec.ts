import { decode, encode, type RecordTypes } from '@ringfence/wire';

/** Names of the records of state entries. */
export type StateName = Extract<keyof RecordTypes, `State${string}`>;

/**
 * Reads the state entries of 0.1.0. Remove it once no installation upgrades from 0.1.0: an entry becomes Avro with its
 * first change.
 */
export interface LegacyEntries<N extends StateName> {
  readonly isLegacy: (bytes: Uint8Array) => boolean;
  /** Returns an entry in the shape of its current record. Throws if the entry is malformed. */
  readonly read: (name: N, bytes: Uint8Array) => object;
}

/** Converts the JSON of an entry of 0.1.0, by the name of its current record. */
export type LegacyConverters<N extends StateName> = Readonly<Record<N, (json: never) => object>>;

export type StateDecoder<N extends StateName> = <M extends N>(name: M, bytes: Uint8Array) => RecordTypes[M];

/**
 * Returns a function that decodes the state entries of a service: framed Avro, or an entry of 0.1.0. It throws if an
 * entry is malformed.
 */
export function createStateDecoder<N extends StateName>({ isLegacy, read }: LegacyEntries<N>): StateDecoder<N> {
  return (name, bytes) => {
    if (!isLegacy(bytes)) return decode(name, bytes);
    // Encoding throws if the result does not fit the current schema.
    return decode(name, encode(name, read(name, bytes) as RecordTypes[typeof name]));
  };
}

/** Returns a reader of entries that 0.1.0 wrote as JSON. */
export function jsonEntries<N extends StateName>(converters: LegacyConverters<N>): LegacyEntries<N> {
  return {
    // Framed Avro begins with C3 01, JSON with a brace or a bracket.
    isLegacy: ([first]) => first === 0x7b || first === 0x5b,
    read: (name, bytes) =>
      converters[name](JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as never),
  };
}
