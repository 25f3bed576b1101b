import { StateError } from '../errors.ts';

/** null: the key is forgotten. */
export interface StateChange {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Of what can say what changed. */
export interface Changes {
  /** What changes is noted, for `takeChanges`; that grows until it is called. false: nobody calls it, nothing is noted. @default true */
  readonly changelog?: boolean;
}

/** State entries are JSON arrays that begin with a version. */
export function encodeEntry(version: number, fields: readonly unknown[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify([version, ...fields]));
}

/** The fields behind the version. @throws StateError */
export function decodeEntry(id: string, bytes: Uint8Array, version: number): unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new StateError(id, 'it is not JSON', { cause });
  }
  if (!Array.isArray(parsed)) throw new StateError(id, 'it is not an array');
  const [found, ...fields] = parsed as unknown[];
  if (found !== version) throw new StateError(id, `its version is ${String(found)}, this program writes ${version}`);
  return fields;
}

export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** A list of at most `most` items, each of which `is` accepts. */
export function isListOf<T>(value: unknown, most: number, is: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.length <= most && value.every(is);
}
