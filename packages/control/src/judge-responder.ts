import type { FleetStanding, Peer } from '@ringfence/identity';

/** A certificate may be issued up to this time after its `notBefore`, which allows for clocks that run behind. */
const ISSUED_WITHIN_MS = 360_000;

/** `unknown`: the standing is missing, too old, or from before the certificate was issued. */
export type Judgement = 'trusted' | 'unknown' | { readonly refusal: string };

/** Judges the responder at the other end of a stream by its certificate and the fleet's standing. */
export function judgeResponder(peer: Peer | null, standing: FleetStanding): Judgement {
  if (peer === null) return { refusal: 'the responder has no certificate' };
  if (peer.notAfter <= standing.timeMs) return { refusal: 'the certificate of the responder has expired' };
  if (standing.trustsCertificate(peer.serial, 'responder')) return 'trusted';
  if (standing.state !== 'current' || standing.issuedAt / 1000 <= peer.notBefore + ISSUED_WITHIN_MS) return 'unknown';
  return { refusal: NOT_IN_FORCE };
}

export const NOT_IN_FORCE = 'the certificate of the responder is not in force';
