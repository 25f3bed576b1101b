import type { X509Certificate } from 'node:crypto';
import { type Peer, peerOf } from '@ringfence/identity';
import type { EnrolmentStore } from '../enrolment-store.ts';
import { RegistrarError } from '../errors.ts';
import { type Admission, checkKeys, responseOf, type StepDeps, storeEnrolments } from './enrol.ts';
import { readProvenKey, readRenewRequest } from './requests.ts';

/** Exchanges a certificate in force for a new one with the same subject, roles and hosts. Throws RegistrarError. */
export async function renewStep(
  deps: StepDeps,
  body: unknown,
  certificate: X509Certificate | undefined,
): Promise<Admission> {
  const { authority, store, options, now } = deps;
  const peer = checkPeer(certificate, store, now());
  const { subject, roles } = peer;
  const request = readRenewRequest(body);
  const signing = readProvenKey(request);
  checkKeys(store, subject, signing);
  const hosts = hostsOf(certificate);
  const issued = await authority.issue({ csr: request.csr, subject, roles, hosts, days: options.certificateDays });
  const enrolments = storeEnrolments(deps, subject, roles.join(','), signing, issued.serial);
  return { response: responseOf(authority, issued.certificate, roles), enrolments, subject };
}

/** Checks the TLS-verified certificate against the store: unknown or revoked certificates cannot be renewed. */
function checkPeer(certificate: X509Certificate | undefined, store: EnrolmentStore, now: number): Peer {
  const peer = certificate === undefined ? null : peerOf(certificate.toLegacyObject());
  if (peer === null || peer.notAfter <= now) {
    throw new RegistrarError(
      'ERR_REGISTRAR_CERTIFICATE',
      'renewal requires an unexpired certificate of this fleet: enrol again with a new token',
    );
  }
  const stored = store
    .ofSubject(peer.subject)
    .find(({ enrolment }) => enrolment.certificateSerials.includes(peer.serial));
  const { revokedAt = 1 } = stored?.enrolment ?? {};
  if (revokedAt !== 0 && revokedAt <= now * 1000) {
    throw new RegistrarError('ERR_REGISTRAR_FORBIDDEN', `the certificate of ${peer.subject} is no longer in force`);
  }
  return peer;
}

/** Returns the names in the certificate (`DNS:a, IP Address:1.2.3.4`), which its token allowed. */
function hostsOf(certificate: X509Certificate | undefined): string[] {
  const names = certificate?.subjectAltName?.split(', ') ?? [];
  return names.map((name) => name.slice(name.indexOf(':') + 1));
}
