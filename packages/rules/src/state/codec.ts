import { StateError } from '../diagnostics/errors.ts';

/** A changed key with its new value; null: the key was forgotten. */
export interface StateChange {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Options of a store that records its changes. */
export interface Changes {
  /** Records changes until `takeChanges` is called. Set it to false if no caller takes them. @default true */
  readonly changelog?: boolean;
}

/** Encodes a state entry: a JSON array that starts with a version. */
export function encodeEntry(version: number, fields: readonly unknown[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify([version, ...fields]));
}

/** Returns the fields behind the version. Throws StateError if the entry is damaged or has another version. */
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
