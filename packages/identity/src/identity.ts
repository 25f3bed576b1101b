import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { importSigningKey, type SigningKey } from '@ringfence/wire';
import { IdentityError, messageOf } from './errors.ts';
import { readText, syncDirectory, writeNew } from './files.ts';
import { type Peer, peerOf } from './peer.ts';
import { importStateKeys } from './state-keys.ts';

/** What TLS needs of one end, all PEM. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
  /** certificate of the authority that the other end must have its own from */
  readonly authority: string;
}

/** What an identity is written from. */
export interface IdentityFiles extends TlsMaterial {
  /** Ed25519, PEM (PKCS#8): signs what this subject writes on the bus */
  readonly signingKey: string;
  /** Ed25519, PEM (SPKI): signs the fleet's Enrolment records */
  readonly root: string;
  /** JSON: see StateKeys */
  readonly stateKeys: string;
}

/** Who this program is in the fleet. */
export interface Identity extends Peer {
  readonly tls: TlsMaterial;
  readonly signingKey: SigningKey;
  readonly root: KeyObject;
  /** by role: what its members seal their state with */
  readonly stateKeys: ReadonlyMap<string, KeyObject>;
  /** ms since the epoch */
  readonly notBefore: number;
}

const FILES = {
  key: 'tls.key',
  certificate: 'tls.pem',
  authority: 'ca.pem',
  signingKey: 'signing.key',
  root: 'root.pem',
  stateKeys: 'state.key',
} as const satisfies Record<keyof IdentityFiles, string>;

const GENERATION = /^\d{6,}$/;

/** Where TLS clients and `watchCertificates` find the files of the identity in force, whatever generation it is. */
export function identityPaths(directory: string): TlsMaterial {
  const at = (name: string): string => `${directory}/current/${name}`;
  return { certificate: at(FILES.certificate), key: at(FILES.key), authority: at(FILES.authority) };
}

/**
 * Writes a new generation and lets the link `current` point to it: a reader, and a crash, sees all of the old files or all of the new ones. The
 * generation before is kept for whoever has just opened it; older ones go.
 */
export function writeIdentity(directory: string, files: IdentityFiles): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const before = currentOf(directory);
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
    if (old !== before) rmSync(`${directory}/${old}`, { recursive: true, force: true });
  }
}

/** null: nobody has enrolled here. Throws IdentityError when what is there is not whole, or not ours alone to read. */
export function loadIdentity(directory: string): Identity | null {
  const generation = currentOf(directory);
  if (generation === null) return null;
  const read = (file: string): string => readText(`${directory}/${generation}/${file}`, file.endsWith('.key'));
  const tls = { certificate: read(FILES.certificate), key: read(FILES.key), authority: read(FILES.authority) };
  try {
    const { peer, notBefore } = checkMaterial(tls);
    const signingKey = importSigningKey(read(FILES.signingKey));
    const [root, stateKeys] = [createPublicKey(read(FILES.root)), importStateKeys(read(FILES.stateKeys))];
    return { ...peer, notBefore, tls, signingKey, root, stateKeys };
  } catch (cause) {
    if (cause instanceof IdentityError) throw cause;
    throw new IdentityError(
      'ERR_IDENTITY_FILES',
      `the identity in ${directory} can not be used: ${messageOf(cause)}; enrol again with a new token`,
      { cause },
    );
  }
}

/** Throws when the key isn't the certificate's, or the certificate not the authority's. */
export function checkMaterial(tls: TlsMaterial): { readonly peer: Peer; readonly notBefore: number } {
  const certificate = new X509Certificate(tls.certificate);
  const authority = new X509Certificate(tls.authority);
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) {
    throw new Error('the certificate is not from this authority');
  }
  if (!certificate.checkPrivateKey(createPrivateKey(tls.key))) throw new Error("the key is not the certificate's");
  const peer = peerOf(certificate.toLegacyObject());
  if (peer === null) throw new Error('the certificate names nobody');
  return { peer, notBefore: certificate.validFromDate.getTime() };
}

function currentOf(directory: string): string | null {
  try {
    return readlinkSync(`${directory}/current`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
