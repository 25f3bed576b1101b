import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { encode, FRAME_BYTES } from './avro/codec.ts';
import { SchemaError } from './errors.ts';
import type { RecordTypes } from './generated/types.generated.ts';
import { asBuffer } from './values/bytes.ts';

export const SIGNATURE_BYTES = 64;

/** An Ed25519 key. `keyId`: the first 8 bytes of the SHA-256 of its public key (SPKI DER), in hex. */
export interface SigningKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Returns the SHA-256 of a public key (SPKI DER), in hex. */
export const fingerprintOf = (publicKey: KeyObject): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');

export const keyIdOf = (publicKey: KeyObject): string => fingerprintOf(publicKey).slice(0, 16);

export function createSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey, keyId: keyIdOf(publicKey) };
}

/** Reads a private key in PEM (PKCS#8). Throws the errors of node:crypto. */
export function importSigningKey(pem: string): SigningKey {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  return { privateKey, publicKey, keyId: keyIdOf(publicKey) };
}

export function signBytes(key: SigningKey, bytes: Uint8Array): Buffer {
  return sign(null, bytes, key.privateKey);
}

/**
 * Splits a framed record into its signature, which is the last field, and the bytes that are signed. Throws SchemaError
 * if the record is too short.
 */
export function signedPart(bytes: Uint8Array): { readonly signed: Buffer; readonly signature: Buffer } {
  const end = bytes.length - SIGNATURE_BYTES;
  if (end <= FRAME_BYTES)
    throw new SchemaError('ERR_SCHEMA_MALFORMED', `a signed record of only ${bytes.length} bytes`);
  const buffer = asBuffer(bytes);
  return { signed: buffer.subarray(0, end), signature: buffer.subarray(end) };
}

const KEY_ID_CHARS = 16;

/**
 * Returns the key id that a framed record of any type names before its signature; empty when there is none. Any writer
 * can name any key: verify the signature.
 */
export function claimedSigner(bytes: Uint8Array): string {
  const { signed } = signedPart(bytes);
  const at = signed.length - KEY_ID_CHARS;
  const keyId = signed.toString('latin1', at);
  // An Avro string begins with its length, zigzag-encoded.
  return signed[at - 1] === 2 * KEY_ID_CHARS && /^[0-9a-f]+$/.test(keyId) ? keyId : '';
}

/** Returns whether a framed record is signed with this key. Throws SchemaError if it is too short. */
export function verifyRecord(publicKey: KeyObject, bytes: Uint8Array): boolean {
  const { signed, signature } = signedPart(bytes);
  return verify(null, signed, publicKey, signature);
}

/** As `verifyRecord`, in a thread of libuv's pool: records of a backlog can be verified in parallel. */
export function verifyRecordAsync(publicKey: KeyObject, bytes: Uint8Array): Promise<boolean> {
  const { signed, signature } = signedPart(bytes);
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  verify(null, signed, publicKey, signature, (error, valid) => (error === null ? resolve(valid) : reject(error)));
  return promise;
}

/** Key id and signature of an unsigned record: within one process, records need no signature. */
export const UNSIGNED: { readonly keyId: string; readonly signature: Buffer } = {
  keyId: '',
  signature: Buffer.alloc(SIGNATURE_BYTES),
};

/** Records that end in `keyId` and `signature`. */
export type SignedName = {
  [N in keyof RecordTypes]: RecordTypes[N] extends { keyId: string; signature: Uint8Array } ? N : never;
}[keyof RecordTypes];

/** Returns the framed record, signed with `key` unless that is null. */
export function encodeSigned<N extends SignedName>(
  name: N,
  value: Omit<RecordTypes[N], 'keyId' | 'signature'>,
  key: SigningKey | null,
): Buffer {
  const bytes = encode(name, { ...value, ...UNSIGNED, keyId: key?.keyId ?? '' } as unknown as RecordTypes[N]);
  if (key !== null) bytes.set(signBytes(key, signedPart(bytes).signed), bytes.length - SIGNATURE_BYTES);
  return bytes;
}
