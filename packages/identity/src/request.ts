import { KeyObject } from 'node:crypto';
import { messageOf } from '@ringfence/base';
import { IdentityError } from './errors.ts';
import type * as X509 from './x509.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const MAX_CSR_CHARS = 8192;
const CURVES: readonly string[] = ['P-256', 'P-384'];

export interface KeyAndRequest {
  /** PEM (PKCS#8); never leaves the machine that created it */
  readonly key: string;
  /** PEM (PKCS#10) */
  readonly csr: string;
}

/** Loads the library on first use: it takes 18 MB, and an agent needs it once in weeks. */
export const loadX509 = (): Promise<typeof X509> => import('./x509.ts');

/** Creates a P-256 key for TLS and a certificate request for it. */
export async function createRequest(subject: string): Promise<KeyAndRequest> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [subject] }],
    keys,
    signingAlgorithm: ALGORITHM,
  });
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { key, csr: csr.toString('pem') };
}

/**
 * Reads an untrusted certificate request. Throws IdentityError unless it is small, self-signed and on a supported
 * curve. Uses only the key and the CN.
 */
export async function readRequest(csr: string): Promise<{ subject: string; publicKey: X509.PublicKey }> {
  const bad = (reason: string, cause?: unknown): IdentityError =>
    new IdentityError('ERR_IDENTITY_REQUEST', `the certificate request is invalid: ${reason}`, { cause });
  if (csr.length > MAX_CSR_CHARS) throw bad(`it has ${csr.length} characters, the limit is ${MAX_CSR_CHARS}`);
  if (!csr.startsWith('-----BEGIN CERTIFICATE REQUEST-----')) throw bad('it is not a PKCS#10 request in PEM');
  const x509 = await loadX509();
  try {
    const request = new x509.Pkcs10CertificateRequest(csr);
    const { publicKey } = request;
    const { name, namedCurve } = publicKey.algorithm as { name: string; namedCurve?: string };
    if (name !== 'ECDSA' || !CURVES.includes(namedCurve ?? '')) throw bad(`expected an EC key on ${CURVES.join(', ')}`);
    if (!(await request.verify())) throw bad('its signature does not match its public key');
    const [subject, ...extra] = request.subjectName.getField('CN');
    if (subject === undefined || extra.length > 0) throw bad('it must have exactly one CN');
    return { subject: subject.slice(0, 64), publicKey };
  } catch (error) {
    throw error instanceof IdentityError ? error : bad(messageOf(error), error);
  }
}
