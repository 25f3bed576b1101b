import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { messageOf } from '@ringfence/base';
import { fingerprintOf, type SigningKey } from '@ringfence/wire';
import { IdentityError } from './errors.ts';
import { readText, syncDirectory, writeNew } from './files.ts';
import { readSigningKey, SIGNING_KEY_FILE } from './kept-key.ts';
import { type Peer, peerOf } from './peer.ts';
import { agreesWithRoot } from './root-name.ts';
import { importStateKeys } from './state-keys.ts';

/** Certificate, key and authority of a TLS client or server, all PEM. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
  /** Certificate of the authority that must have issued the peer's certificate */
  readonly authority: string;
}

/** Contents of the files of an identity. */
export interface IdentityFiles extends TlsMaterial {
  /** Ed25519, PEM (PKCS#8): signs the subject's records on the bus; SPKI if another process keeps the private key */
  readonly signingKey: string;
  /** Ed25519, PEM (SPKI): verifies the fleet's Enrolment records */
  readonly root: string;
  /** JSON: see StateKeys */
  readonly stateKeys: string;
}

/** The identity of this program in the fleet. */
export interface Identity extends Peer {
  readonly tls: TlsMaterial;
  readonly signingKey: SigningKey;
  readonly root: KeyObject;
  /** Keys that the members of a role seal their state with, by role */
  readonly stateKeys: ReadonlyMap<string, KeyObject>;
}

const FILES = {
  key: 'tls.key',
  certificate: 'tls.pem',
  authority: 'ca.pem',
  signingKey: SIGNING_KEY_FILE,
  root: 'root.pem',
  stateKeys: 'state.key',
} as const satisfies Record<keyof IdentityFiles, string>;

const GENERATION = /^\d{6,}$/;

/** Returns the paths of the current identity, for TLS clients and `watchCertificates`; they never change. */
export function identityPaths(directory: string): TlsMaterial {
  const at = (name: string): string => `${directory}/current/${name}`;
  return { certificate: at(FILES.certificate), key: at(FILES.key), authority: at(FILES.authority) };
}

/**
 * Writes a new generation, then repoints the link `current` to it: readers and crashes see all of the old files or all
 * of the new ones. Keeps the previous generation for readers that have just opened it and removes older ones.
 */
export function writeIdentity(directory: string, files: IdentityFiles): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const previous = currentOf(directory);
  const generations = readdirSync(directory).filter((name) => GENERATION.test(name));
  const next = String(Math.max(0, ...generations.map(Number)) + 1).padStart(6, '0');
  mkdirSync(`${directory}/${next}`, { mode: 0o700 });
  for (const [name, file] of Object.entries(FILES)) {
    writeNew(`${directory}/${next}/${file}`, files[name as keyof IdentityFiles]);
  }
  syncDirectory(`${directory}/${next}`);
  rmSync(`${directory}/current.new`, { force: true });
  symlinkSync(next, `${directory}/current.new`);
  renameSync(`${directory}/current.new`, `${directory}/current`);
  syncDirectory(directory);
  for (const old of generations) {
    if (old !== previous) rmSync(`${directory}/${old}`, { recursive: true, force: true });
  }
}

/**
 * Returns null when nothing has enrolled here. Throws IdentityError when files are missing, do not match (the
 * certificate names the root key), or other users may read the keys.
 *
 * @param rootKey fingerprint that the root key must have. @default '': any
 */
export function loadIdentity(directory: string, rootKey = ''): Identity | null {
  const generation = currentOf(directory);
  if (generation === null) return null;
  const read = (file: string): string => readText(`${directory}/${generation}/${file}`, file.endsWith('.key'));
  const tls = { certificate: read(FILES.certificate), key: read(FILES.key), authority: read(FILES.authority) };
  try {
    const peer = checkMaterial(tls);
    const signingKey = readSigningKey(read(FILES.signingKey));
    const [root, stateKeys] = [createPublicKey(read(FILES.root)), importStateKeys(read(FILES.stateKeys))];
    if (rootKey !== '' && fingerprintOf(root) !== rootKey)
      throw new Error(`root.pem has the fingerprint ${fingerprintOf(root)}, but identity.rootKey is ${rootKey}`);
    if (!agreesWithRoot(new X509Certificate(tls.certificate), root))
      throw new Error(`root.pem has the fingerprint ${fingerprintOf(root)}, but tls.pem names another root key`);
    return { ...peer, tls, signingKey, root, stateKeys };
  } catch (cause) {
    if (cause instanceof IdentityError) throw cause;
    throw new IdentityError(
      'ERR_IDENTITY_FILES',
      `the identity in ${directory} cannot be used: ${messageOf(cause)}; enrol again with a new token`,
      { cause },
    );
  }
}

/** Throws when the key does not match the certificate, or the authority did not issue the certificate. */
export function checkMaterial(tls: TlsMaterial): Peer {
  const certificate = new X509Certificate(tls.certificate);
  const authority = new X509Certificate(tls.authority);
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) {
    throw new Error('the authority in ca.pem did not issue the certificate');
  }
  if (!certificate.checkPrivateKey(createPrivateKey(tls.key)))
    throw new Error('the key does not match the certificate');
  const peer = peerOf(certificate.toLegacyObject());
  if (peer === null) throw new Error('the certificate has no subject');
  return peer;
}

function currentOf(directory: string): string | null {
  try {
    return readlinkSync(`${directory}/current`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
