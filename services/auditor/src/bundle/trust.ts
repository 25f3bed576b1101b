import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { decode, fingerprintOf, keyIdOf, verifyRecord } from '@ringfence/wire';
import { type BundleSignature, CONTEXT, MANIFEST, type Manifest, SIGNATURE } from './format.ts';
import type { Problems } from './problems.ts';
import type { PlacedMember } from './zip.ts';

/** Where the signature of a bundle leads. */
export interface Trust {
  readonly root: KeyObject;
  /** Subject of its enrolment; empty: the root key itself */
  readonly signer: string;
}

const keyOf = (base64: string): KeyObject =>
  createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });

/** Returns the root key that the signature leads to; null when it leads to none. */
export function checkSignature(
  members: ReadonlyMap<string, PlacedMember>,
  manifest: Manifest | null,
  pinned: string,
  problems: Problems,
): Trust | null {
  const member = members.get(SIGNATURE);
  const signed = members.get(MANIFEST);
  if (member === undefined || signed === undefined) {
    problems.add(SIGNATURE, 'is missing or can not be reached: nothing proves who made this bundle');
    return null;
  }
  const found = problems.attempt(SIGNATURE, 'is no signature', () => {
    const text = member.bytes.toString('utf8');
    const value = JSON.parse(text) as BundleSignature;
    // Only one text stands for a signature, so that no byte of it is outside what is checked.
    const { publicKey, signature, root, enrolment } = value;
    if (`${JSON.stringify({ publicKey, signature, root, enrolment }, null, 1)}\n` !== text) throw new TypeError('text');
    return { ...value, key: keyOf(publicKey), rootKey: keyOf(root) };
  });
  if (found === null) return null;
  const { key, rootKey, signature, enrolment } = found;
  if (!isCanonical(found)) problems.add(SIGNATURE, 'is not written as a signature is');
  const text = Buffer.concat([Buffer.from(CONTEXT), signed.bytes]);
  if (!verify(null, text, key, Buffer.from(signature, 'hex')))
    problems.add(`${MANIFEST} or ${SIGNATURE}`, 'the signature does not fit the manifest');
  if (pinned !== '' && fingerprintOf(rootKey) !== pinned.toLowerCase())
    problems.add(SIGNATURE, `leads to the root key ${fingerprintOf(rootKey)}, not to ${pinned}`);
  const signer = checkEnrolment(enrolment, key, rootKey, (manifest?.createdAt ?? 0) * 1000);
  if (typeof signer === 'string') return { root: rootKey, signer };
  problems.add(SIGNATURE, signer.problem);
  return null;
}

/** Base64 and hex have several texts for the same bytes. */
function isCanonical({ publicKey, signature, root, enrolment }: BundleSignature): boolean {
  const isBase64 = (text: string): boolean => Buffer.from(text, 'base64').toString('base64') === text;
  return isBase64(publicKey) && isBase64(root) && isBase64(enrolment ?? '') && /^[0-9a-f]{128}$/.test(signature);
}

/**
 * Returns the subject whose key the root key has enrolled, in force at `at` (µs since the epoch); empty when the key is
 * the root key itself.
 */
export function checkEnrolment(
  base64: string | null,
  key: KeyObject,
  root: KeyObject,
  at: number,
  role?: string,
): string | { readonly problem: string } {
  if (base64 === null) return key.equals(root) ? '' : { problem: 'its key is not the root key, and has no enrolment' };
  try {
    const bytes = Buffer.from(base64, 'base64');
    const enrolment = decode('Enrolment', bytes);
    if (!verifyRecord(root, bytes)) return { problem: 'the enrolment of its key is not signed by the root key' };
    if (enrolment.signingKeyId !== keyIdOf(key)) return { problem: 'the enrolment is of another key' };
    if (enrolment.revokedAt !== 0 && enrolment.revokedAt <= at) return { problem: 'its key had been revoked' };
    if (role !== undefined && !enrolment.role.split(',').includes(role))
      return { problem: `its key is not one of an ${role}` };
    return enrolment.subject;
  } catch {
    return { problem: 'the enrolment of its key can not be read' };
  }
}
