import type { PeerCertificate } from 'node:tls';
import type { Role } from '@ringfence/wire';
import { isRole } from './roles.ts';

/** The authenticated peer of a TLS connection. */
export interface Peer {
  readonly subject: string;
  readonly roles: readonly Role[];
  /** Hex, upper case */
  readonly serial: string;
  /** Milliseconds since the epoch */
  readonly notBefore: number;
  /** Milliseconds since the epoch */
  readonly notAfter: number;
}

/** Returns null when there is no certificate, or it has no CN, serial or validity. */
export function peerOf(certificate: PeerCertificate | undefined): Peer | null {
  const { subject, serialNumber, valid_from, valid_to } = certificate ?? {};
  const name: unknown = subject?.CN;
  if (typeof name !== 'string' || serialNumber === undefined) return null;
  if (valid_from === undefined || valid_to === undefined) return null;
  const roles = [subject?.OU ?? []].flat().filter(isRole);
  return {
    subject: name,
    roles,
    serial: serialNumber.toUpperCase(),
    notBefore: Date.parse(valid_from),
    notAfter: Date.parse(valid_to),
  };
}
