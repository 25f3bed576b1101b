import type { X509Certificate } from 'node:crypto';
import { type Peer, peerOf } from '@ringfence/identity';
import type { Book } from '../book.ts';
import { RegistrarError } from '../errors.ts';
import { type Admitted, answerOf, checkKeys, record, type StepDeps } from './enrol.ts';
import { readRenewRequest, readSigningPart } from './requests.ts';

/** Who holds a certificate in force gets the next one, for the same subject, roles and names. Throws RegistrarError. */
export async function renewStep(
  deps: StepDeps,
  body: unknown,
  certificate: X509Certificate | undefined,
): Promise<Admitted> {
  const { authority, book, options, now } = deps;
  const peer = checkPeer(certificate, book, now());
  const { subject, roles } = peer;
  const request = readRenewRequest(body);
  const signing = readSigningPart(request);
  checkKeys(book, subject, signing);
  const hosts = hostsOf(certificate);
  const issued = await authority.issue({ csr: request.csr, subject, roles, hosts, days: options.certificateDays });
  const pages = record(deps, subject, roles.join(','), signing, issued.serial);
  return { answer: answerOf(authority, issued.certificate, roles), pages, subject };
}

/** `certificate`: what TLS has verified. The book has the last word: a certificate that it doesn't have, or has taken back, renews nothing. */
function checkPeer(certificate: X509Certificate | undefined, book: Book, now: number): Peer {
  const peer = certificate === undefined ? null : peerOf(certificate.toLegacyObject());
  if (peer === null || peer.notAfter <= now) {
    throw new RegistrarError(
      'ERR_REGISTRAR_CERTIFICATE',
      'to renew needs a certificate of this fleet that has not expired: enrol again with a new token',
    );
  }
  const own = book.of(peer.subject).find(({ enrolment }) => enrolment.certificateSerials.includes(peer.serial));
  const { revokedAt = 1 } = own?.enrolment ?? {};
  if (revokedAt !== 0 && revokedAt <= now * 1000) {
    throw new RegistrarError('ERR_REGISTRAR_FORBIDDEN', `the certificate of ${peer.subject} is not in force any more`);
  }
  return peer;
}

/** `DNS:a, IP Address:1.2.3.4` of the certificate: what the token allowed once. */
function hostsOf(certificate: X509Certificate | undefined): string[] {
  const names = certificate?.subjectAltName?.split(', ') ?? [];
  return names.map((name) => name.slice(name.indexOf(':') + 1));
}
