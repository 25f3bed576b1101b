import { decode, encode, type RecordTypes } from '@ringfence/wire';

/** Names of the records of state entries. */
export type StateName = Extract<keyof RecordTypes, `State${string}`>;

/** Converts the JSON of an entry of 0.1.0, by the name of its current record. */
export type LegacyConverters<N extends StateName> = Readonly<Record<N, (json: never) => object>>;

export type StateDecoder<N extends StateName> = <M extends N>(name: M, bytes: Uint8Array) => RecordTypes[M];

/**
 * Returns a function that decodes the state entries of a service: framed Avro, or JSON as 0.1.0 wrote it. It throws if
 * an entry is malformed. Remove `legacy` once no installation upgrades from 0.1.0: an entry becomes Avro with its first
 * change.
 */
export function createStateDecoder<N extends StateName>(legacy: LegacyConverters<N>): StateDecoder<N> {
  return (name, bytes) => {
    if (!isJson(bytes)) return decode(name, bytes);
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    // Encoding throws if the result does not fit the current schema.
    return decode(name, encode(name, legacy[name](json as never) as RecordTypes[typeof name]));
  };
}

/** Framed Avro begins with C3 01, JSON with a brace or a bracket. */
const isJson = ([first]: Uint8Array): boolean => first === 0x7b || first === 0x5b;
