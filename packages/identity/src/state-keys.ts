import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Role } from '@ringfence/wire';

/** 32-byte keys in base64, by role. */
export type StateKeys = Readonly<Partial<Record<Role, string>>>;

const KEY_BYTES = 32;

/** Throws unless `value` maps roles to keys of 32 bytes. */
export function readStateKeys(value: unknown): StateKeys {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('expected an object of state keys');
  for (const [role, key] of Object.entries(value)) {
    if (typeof key !== 'string' || Buffer.from(key, 'base64').length !== KEY_BYTES) {
      throw new Error(`the state key of ${role.slice(0, 32)} must have ${KEY_BYTES} bytes`);
    }
  }
  return value as StateKeys;
}

/** Parses the contents of the state key file. Throws unless it maps roles to keys of 32 bytes. */
export function importStateKeys(text: string): ReadonlyMap<string, KeyObject> {
  const keys = Object.entries(readStateKeys(JSON.parse(text)));
  return new Map(keys.map(([role, key]) => [role, createSecretKey(Buffer.from(key, 'base64'))]));
}
