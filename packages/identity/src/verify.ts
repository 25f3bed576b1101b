import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { decode, type Enrolment, keyIdOf, SchemaError, verifyRecord } from '@ringfence/wire';

const MAX_RECORD_BYTES = 65_536;

/** Reason why an enrolment is refused. `misplaced`: its key id or its record key does not match its contents. */
export type VerifyFailure = 'unreadable' | 'forged' | 'misplaced';

/** Decodes an Enrolment without verifying it. Returns null when the bytes are not an Enrolment. */
export function readEnrolment(value: Uint8Array): Enrolment | null {
  if (value.length > MAX_RECORD_BYTES) return null;
  try {
    return decode('Enrolment', value);
  } catch (error) {
    if (error instanceof SchemaError) return null;
    throw error;
  }
}

/**
 * Returns null when the root key signed `value`, the encoded `enrolment`, and its key id matches its key. `verified`
 * skips the signature check.
 */
export function verifyEnrolment(
  root: KeyObject,
  { keyId, publicKey, signingKeyId }: Enrolment,
  value: Uint8Array,
  verified = false,
): VerifyFailure | null {
  if (!verified && (keyId !== keyIdOf(root) || !verifyRecord(root, value))) return 'forged';
  // Same as keyIdOf, without creating a key object: an SPKI Ed25519 key has only one encoding.
  const actualKeyId = createHash('sha256').update(publicKey).digest('hex').slice(0, 16);
  return actualKeyId === signingKeyId ? null : 'misplaced';
}

export function publicKeyOf({ publicKey }: Enrolment): KeyObject {
  return createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
}

/** `at` is in µs since the epoch. */
export function isRevokedAt({ revokedAt }: Pick<Enrolment, 'revokedAt'>, at: number): boolean {
  return revokedAt !== 0 && at >= revokedAt;
}
