import type { PeerCertificate } from 'node:tls';
import type { Role } from '@ringfence/wire';
import { isRole } from './roles.ts';

/** Who is at the other end of a TLS connection that the authority vouches for. */
export interface Peer {
  readonly subject: string;
  readonly roles: readonly Role[];
  /** hex, upper case */
  readonly serial: string;
  /** ms since the epoch */
  readonly notAfter: number;
}

/** null: there is no certificate, or none of ours. */
export function peerOf(certificate: PeerCertificate | undefined): Peer | null {
  const { subject, serialNumber, valid_to } = certificate ?? {};
  const name: unknown = subject?.CN;
  if (typeof name !== 'string' || serialNumber === undefined || valid_to === undefined) return null;
  const roles = [subject?.OU ?? []].flat().filter(isRole);
  return { subject: name, roles, serial: serialNumber.toUpperCase(), notAfter: Date.parse(valid_to) };
}
