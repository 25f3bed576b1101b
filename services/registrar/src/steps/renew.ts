import type { X509Certificate } from 'node:crypto';
import { HANDOVER_MAX_AGE_MS, type Peer, peerOf, verifyHandover } from '@ringfence/identity';
import { type EnrolmentStore, readSigningKey } from '../enrolment-store.ts';
import { RegistrarError } from '../errors.ts';
import { type Admission, checkKeys, responseOf, type StepDeps, storeEnrolments } from './enrol.ts';
import { type ProvenKey, type RenewRequest, readProvenKey, readRenewRequest } from './requests.ts';

/**
 * Exchanges a certificate in force for a new one with the same subject, roles and hosts. Another signing key needs the
 * consent of the enrolled one: the process that holds the certificate need not hold that key. Throws RegistrarError.
 */
export async function renewStep(
  deps: StepDeps,
  body: unknown,
  certificate: X509Certificate | undefined,
): Promise<Admission> {
  const { authority, store, options, now } = deps;
  const { subject, roles } = checkPeer(certificate, store, now());
  const request = readRenewRequest(body);
  const signing = readProvenKey(request);
  const check = (): void => {
    checkPeer(certificate, store, now());
    checkKeys(store, subject, signing);
    checkHandover(store, subject, signing, request, now());
  };
  check();
  const hosts = hostsOf(certificate);
  const issued = await authority.issue({ csr: request.csr, subject, roles, hosts, days: options.certificateDays });
  // A revocation or another key may have come in the meantime.
  check();
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

/** Accepts the enrolled key, or one that the enrolled key has signed a moment ago. Throws RegistrarError. */
function checkHandover(
  store: EnrolmentStore,
  subject: string,
  { keyId }: ProvenKey,
  { csr, signingPublicKey, handover }: RenewRequest,
  now: number,
): void {
  // A retired key still signs for records in transit, but names no successor.
  const enrolled = store.ofSubject(subject).filter(({ enrolment }) => enrolment.revokedAt === 0);
  if (enrolled.some(({ enrolment }) => enrolment.signingKeyId === keyId)) return;
  const facts = { subject, requestedKey: keyId, enrolledKeys: enrolled.map(({ enrolment }) => enrolment.signingKeyId) };
  const isSigned =
    handover !== undefined &&
    enrolled.some(({ enrolment }) => {
      const key = readSigningKey(Buffer.from(enrolment.publicKey));
      return key !== null && verifyHandover(key, { subject, csr, signingPublicKey }, handover);
    });
  if (!isSigned) {
    throw new RegistrarError(
      'ERR_REGISTRAR_UNPROVEN',
      `${subject} asks for another signing key without the signature of its enrolled key: enrol it again with a token for this subject`,
      { facts },
    );
  }
  if (Math.abs(now - handover.at) <= HANDOVER_MAX_AGE_MS) return;
  throw new RegistrarError(
    'ERR_REGISTRAR_UNPROVEN',
    `the signature of the enrolled key of ${subject} is of ${new Date(handover.at).toISOString()}: compare the clocks of this machine and the registrar, then try again`,
    { facts },
  );
}

/** A name or address of a server in a certificate, as node:crypto prints it; members also have a URI. */
const HOST_NAME = /^(?:DNS|IP Address):(.+)$/;

/** Returns the names and addresses in the certificate (`DNS:a, IP Address:1.2.3.4`), which its token allowed. */
function hostsOf(certificate: X509Certificate | undefined): string[] {
  const names = certificate?.subjectAltName?.split(', ') ?? [];
  return names.flatMap((name) => HOST_NAME.exec(name)?.[1] ?? []);
}
