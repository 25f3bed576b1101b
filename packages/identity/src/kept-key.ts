import { createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { importSigningKey, keyIdOf, type SigningKey } from '@ringfence/wire';
import { IdentityError } from './errors.ts';
import { readText, writeSecret } from './files.ts';

/*
 * The sensor's process may have a user of its own, who keeps the private signing key. The file of the key in the
 * directory of the identity then holds the public key, and renewals are proven by that process.
 */

const PUBLIC = '-----BEGIN PUBLIC KEY-----';
export const SIGNING_KEY_FILE = 'signing.key';

const keptElsewhere = new WeakSet<SigningKey>();

/** Whether another process keeps the private key. */
export const isKeptElsewhere = (key: SigningKey): boolean => keptElsewhere.has(key);

/** Reads the file of a signing key. If another process keeps the private key, reading `privateKey` throws. */
export function readSigningKey(pem: string): SigningKey {
  if (!pem.startsWith(PUBLIC)) return importSigningKey(pem);
  const publicKey = createPublicKey(pem);
  const key: SigningKey = {
    keyId: keyIdOf(publicKey),
    publicKey,
    get privateKey(): KeyObject {
      throw new IdentityError('ERR_IDENTITY_FILES', "the sensor's process keeps the private signing key of this host");
    },
  };
  keptElsewhere.add(key);
  return key;
}

/** Returns the content of the file of a signing key. */
export function signingKeyText(key: SigningKey): string {
  if (isKeptElsewhere(key)) return publicText(key);
  return key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

const publicText = ({ publicKey }: SigningKey): string => publicKey.export({ type: 'spki', format: 'pem' }).toString();

/**
 * Copies the signing key of an identity to `path` and returns it; returns the copy if the identity has only the public
 * key. Throws IdentityError when neither has the private key.
 */
export function keepSigningKey(path: string, key: SigningKey): SigningKey {
  if (!isKeptElsewhere(key)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeSecret(path, signingKeyText(key));
    return key;
  }
  const kept = existsSync(path) ? readSigningKey(readText(path, true)) : undefined;
  if (kept?.publicKey.equals(key.publicKey)) return kept;
  throw new IdentityError(
    'ERR_IDENTITY_FILES',
    `${path} does not have the private signing key of this host's identity: enrol again with a new token`,
  );
}

/** Replaces the private signing key in the directory of an identity by its public key. */
export function forgetSigningKey(directory: string, key: SigningKey): void {
  const current = readlinkSync(join(directory, 'current'));
  const path = join(directory, current, SIGNING_KEY_FILE);
  if (isKeptElsewhere(readSigningKey(readText(path, true)))) return;
  writeSecret(path, publicText(key));
  // Earlier generations have the private key, too.
  for (const name of readdirSync(directory))
    if (/^\d{6,}$/.test(name) && name !== current) rmSync(join(directory, name), { recursive: true, force: true });
}
