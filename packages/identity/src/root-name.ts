import type { KeyObject, X509Certificate } from 'node:crypto';
import { fingerprintOf } from '@ringfence/wire';

/** A name of this form in a member's certificate (SAN, URI) binds the fleet's root key. */
const PREFIX = 'ringfence:root:';
/** As node:crypto prints the names of a certificate, separated by commas. */
const ROOT_NAME = /(?:^|, )URI:ringfence:root:([0-9a-f]{64})(?=,|$)/;

/** Returns the name that binds this root key. */
export const rootNameOf = (root: KeyObject): string => PREFIX + fingerprintOf(root);

/**
 * Returns whether a certificate agrees with this root key. A certificate that names none, which the authority of 0.1.0
 * has issued, agrees with any.
 */
export function agreesWithRoot({ subjectAltName }: X509Certificate, root: KeyObject): boolean {
  const named = ROOT_NAME.exec(subjectAltName ?? '')?.[1];
  return named === undefined || named === fingerprintOf(root);
}
