import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { decode, type Enrolment, keyIdOf, SchemaError, verifyRecord } from '@ringfence/wire';

const MAX_RECORD = 65_536;

/** Why an enrolment is not believed. `misplaced`: its key is not the one it names, or stands under another name. */
export type Disbelief = 'unreadable' | 'forged' | 'misplaced';

/** The record, if its bytes are one; nothing of it is verified. */
export function readEnrolment(value: Uint8Array): Enrolment | null {
  if (value.length > MAX_RECORD) return null;
  try {
    return decode('Enrolment', value);
  } catch (error) {
    if (error instanceof SchemaError) return null;
    throw error;
  }
}

/** null: `value`, which reads as `enrolment`, is what the root key has said. `verified`: that was found already. */
export function disbelieve(
  root: KeyObject,
  { keyId, publicKey, signingKeyId }: Enrolment,
  value: Uint8Array,
  verified = false,
): Disbelief | null {
  if (!verified && (keyId !== keyIdOf(root) || !verifyRecord(root, value))) return 'forged';
  // What keyIdOf does, without making a key of bytes that are one in the only form there is.
  const own = createHash('sha256').update(publicKey).digest('hex').slice(0, 16);
  return own === signingKeyId ? null : 'misplaced';
}

export function publicKeyOf({ publicKey }: Enrolment): KeyObject {
  return createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
}

/** `at`: µs since the epoch. */
export function isRevokedAt({ revokedAt }: Pick<Enrolment, 'revokedAt'>, at: number): boolean {
  return revokedAt !== 0 && at >= revokedAt;
}
