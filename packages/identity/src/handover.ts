import { createHash, type KeyObject, verify } from 'node:crypto';
import { type SigningKey, signBytes } from '@ringfence/wire';

/** Consent of a subject's enrolled signing key to the key that shall take its place. */
export interface Handover {
  /** Time of the signature, ms since the epoch */
  readonly at: number;
  /** By the enrolled key, base64 */
  readonly signature: string;
}

/** The renewal that a handover belongs to. */
export interface HandoverRequest {
  readonly subject: string;
  /** PEM (PKCS#10) */
  readonly csr: string;
  /** The new signing key: SPKI DER, base64 */
  readonly signingPublicKey: string;
}

/** Largest difference between the time of a handover and the registrar's clock, ms. */
export const HANDOVER_MAX_AGE_MS = 300_000;

/**
 * Signs a renewal that replaces the signing key. Throws IdentityError when another process keeps the private key.
 *
 * @param current the enrolled key
 * @param at ms since the epoch
 */
export function createHandover(current: SigningKey, request: HandoverRequest, at: number = Date.now()): Handover {
  return { at, signature: signBytes(current, textOf(request, at)).toString('base64') };
}

/** Whether `key` has signed the handover for this request. The caller checks its time. */
export function verifyHandover(key: KeyObject, request: HandoverRequest, { at, signature }: Handover): boolean {
  return verify(null, textOf(request, at), key, Buffer.from(signature, 'base64'));
}

/**
 * The first line separates a handover from everything else that the key signs: batches are binary, and a certificate
 * request, which the sensor's process signs for the services' process, is PEM.
 */
function textOf({ subject, csr, signingPublicKey }: HandoverRequest, at: number): Buffer {
  const request = createHash('sha256').update(csr).digest('hex');
  return Buffer.from(['ringfence: hand a signing key over', subject, signingPublicKey, request, at].join('\n'));
}
