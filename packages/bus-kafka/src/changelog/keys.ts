import type { WireRecord } from '../client/records.ts';
import type { Seal } from './seal.ts';
import type { Stamp } from './stamp.ts';

/** The key of the record that holds the input positions. It cannot be a state key, because those contain a NUL. */
export const POSITION_KEY = '@position';
const SEPARATOR = '\0';

export const stateKey = (store: string, key: string): string => `${store}${SEPARATOR}${key}`;

export const storePrefix = (store: string): string => stateKey(store, '');

export function positionRecord(seal: Seal, stamp: Stamp, positions: ReadonlyMap<string, number>): WireRecord {
  const value = Buffer.from(JSON.stringify(Object.fromEntries(positions)));
  return seal.record(Buffer.from(POSITION_KEY), value, stamp, { offset: 0, index: 0 });
}

/** Returns null for a value that is not a JSON object; drops members that are not offsets. */
export function parsePositions(value: Buffer | null): Map<string, number> | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value?.toString() ?? '');
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  return new Map(
    Object.entries(parsed).filter(
      (entry): entry is [string, number] => Number.isSafeInteger(entry[1]) && entry[1] >= 0,
    ),
  );
}
