import { KeyObject } from 'node:crypto';
import { IdentityError, messageOf } from './errors.ts';
import type * as X509 from './x509.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const MAX_CSR = 8192;
const CURVES: readonly string[] = ['P-256', 'P-384'];

export interface KeyAndRequest {
  /** PEM (PKCS#8): stays where it was made */
  readonly key: string;
  /** PEM (PKCS#10) */
  readonly csr: string;
}

/** 18 MB of memory that an agent needs once in weeks: loaded when it is asked for. */
export const loadX509 = (): Promise<typeof X509> => import('./x509.ts');

/** A new P-256 key for TLS and the request for its certificate. */
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

/** Reads a stranger's request: small, signed by the key it asks for, on a curve we know. Throws IdentityError. Nothing but key and CN is taken from it. */
export async function readRequest(csr: string): Promise<{ subject: string; publicKey: X509.PublicKey }> {
  const bad = (why: string, cause?: unknown): IdentityError =>
    new IdentityError('ERR_IDENTITY_REQUEST', `the certificate request can not be used: ${why}`, { cause });
  if (csr.length > MAX_CSR) throw bad(`it has ${csr.length} characters, at most ${MAX_CSR} are read`);
  if (!csr.startsWith('-----BEGIN CERTIFICATE REQUEST-----')) throw bad('it is no PEM of a PKCS#10 request');
  const x509 = await loadX509();
  try {
    const request = new x509.Pkcs10CertificateRequest(csr);
    const { publicKey } = request;
    const { name, namedCurve } = publicKey.algorithm as { name: string; namedCurve?: string };
    if (name !== 'ECDSA' || !CURVES.includes(namedCurve ?? '')) throw bad(`expected an EC key on ${CURVES.join(', ')}`);
    if (!(await request.verify())) throw bad('it is not signed by the key it asks for');
    const [subject, ...more] = request.subjectName.getField('CN');
    if (subject === undefined || more.length > 0) throw bad('it must have one CN');
    return { subject: subject.slice(0, 64), publicKey };
  } catch (error) {
    throw error instanceof IdentityError ? error : bad(messageOf(error), error);
  }
}
