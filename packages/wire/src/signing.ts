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

/** An Ed25519 key that signs batches or commands. `keyId`: first 8 bytes, hex, of the sha256 of its public half (SPKI DER). */
export interface SigningKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function keyIdOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);
}

export function createSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey, keyId: keyIdOf(publicKey) };
}

/** From PEM (PKCS#8). Throws what node:crypto throws for bad PEM. */
export function importSigningKey(pem: string): SigningKey {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  return { privateKey, publicKey, keyId: keyIdOf(publicKey) };
}

export function signBytes(key: SigningKey, bytes: Uint8Array): Buffer {
  return sign(null, bytes, key.privateKey);
}

/** What `signature`, the last field, signs. Throws SchemaError when there is no room for one. */
export function signedPart(bytes: Uint8Array): { readonly signed: Buffer; readonly signature: Buffer } {
  const end = bytes.length - SIGNATURE_BYTES;
  if (end <= FRAME_BYTES) throw new SchemaError('ERR_SCHEMA_MALFORMED', `signed record: only ${bytes.length} bytes`);
  const buffer = asBuffer(bytes);
  return { signed: buffer.subarray(0, end), signature: buffer.subarray(end) };
}

const KEY_ID_CHARS = 16;

/**
 * Whom a framed record says it is signed by; empty: nobody that could be. Read from where `keyId` lies before the signature, whatever the record: what it
 * says is true only if the signature is.
 */
export function claimedSigner(bytes: Uint8Array): string {
  const { signed } = signedPart(bytes);
  const at = signed.length - KEY_ID_CHARS;
  const keyId = signed.toString('latin1', at);
  // An Avro string: its length first, zigzag
  return signed[at - 1] === 2 * KEY_ID_CHARS && /^[0-9a-f]+$/.test(keyId) ? keyId : '';
}

/** Whether the last field of a framed record (RawBatch, Command) is this key's signature of all before it. Throws SchemaError when it is too short. */
export function verifyRecord(publicKey: KeyObject, bytes: Uint8Array): boolean {
  const { signed, signature } = signedPart(bytes);
  return verify(null, signed, publicKey, signature);
}

/** The same in a thread of libuv's pool: for a backlog, whose records can be verified side by side. */
export function verifyRecordAsync(publicKey: KeyObject, bytes: Uint8Array): Promise<boolean> {
  const { signed, signature } = signedPart(bytes);
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  verify(null, signed, publicKey, signature, (error, valid) => (error === null ? resolve(valid) : reject(error)));
  return promise;
}

/** What stands in a signed record that nobody signed: in one process the log belongs to root alone. */
export const UNSIGNED: { readonly keyId: string; readonly signature: Buffer } = {
  keyId: '',
  signature: Buffer.alloc(SIGNATURE_BYTES),
};

/** Records that end in `keyId` and `signature`. */
export type SignedName = {
  [N in keyof RecordTypes]: RecordTypes[N] extends { keyId: string; signature: Uint8Array } ? N : never;
}[keyof RecordTypes];

/** The framed record, signed by `key`; null: unsigned. What `value` says of key and signature is replaced. */
export function encodeSigned<N extends SignedName>(
  name: N,
  value: Omit<RecordTypes[N], 'keyId' | 'signature'>,
  key: SigningKey | null,
): Buffer {
  const bytes = encode(name, { ...value, ...UNSIGNED, keyId: key?.keyId ?? '' } as unknown as RecordTypes[N]);
  if (key !== null) bytes.set(signBytes(key, signedPart(bytes).signed), bytes.length - SIGNATURE_BYTES);
  return bytes;
}
