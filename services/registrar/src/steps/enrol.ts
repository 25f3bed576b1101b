import type { Authority, RegistrarResponse } from '@ringfence/identity';
import { ACCESS, type Enrolment, type Role } from '@ringfence/wire';
import type { CompiledRegistrarOptions } from '../config.ts';
import type { Draft, EnrolmentStore, StoredEnrolment } from '../enrolment-store.ts';
import { RegistrarError } from '../errors.ts';
import type { Grant, TokenStore } from '../token-store.ts';
import { type EnrolRequest, type ProvenKey, readEnrolRequest, readProvenKey } from './requests.ts';

/** Maximum number of valid certificates per key: the current one, its replacement, and one whose response was lost. */
const MAX_SERIALS = 3;
const MAX_KEYS = 1000;

/** Points at which a crash test stops the process. */
export type Failpoint = 'before-spend' | 'after-spend' | 'after-record';

export interface StepDeps {
  readonly authority: Authority;
  readonly store: EnrolmentStore;
  readonly tokens: TokenStore;
  readonly options: CompiledRegistrarOptions;
  /** Milliseconds since the epoch */
  readonly now: () => number;
  readonly failpoint: (name: Failpoint) => void;
}

export interface Admission {
  readonly response: Omit<RegistrarResponse, 'standing'>;
  /** Enrolments to publish */
  readonly enrolments: readonly StoredEnrolment[];
  readonly subject: string;
}

/** Exchanges a token for a certificate. All checks happen before the token is spent. Throws RegistrarError. */
export async function enrolStep(deps: StepDeps, body: unknown, remote: string): Promise<Admission> {
  const { authority, store, tokens, options, now, failpoint } = deps;
  const request = readEnrolRequest(body);
  const { token, subject, roles, csr } = request;
  const signing = readProvenKey(request);
  const grant = tokens.find(token, now());
  checkGrant(grant, request, store);
  checkKeys(store, subject, signing);
  const issued = await authority.issue({ csr, subject, roles, hosts: grant.hosts, days: options.certificateDays });
  failpoint('before-spend');
  tokens.spend(token);
  failpoint('after-spend');
  const enrolments = storeEnrolments(deps, subject, roles.join(','), signing, issued.serial);
  failpoint('after-record');
  tokens.recordOutcome(token, {
    subject,
    serial: issued.serial,
    signingKeyId: signing.keyId,
    remote,
    at: new Date(now()),
  });
  return { response: responseOf(authority, issued.certificate, roles), enrolments, subject };
}

export function responseOf(authority: Authority, certificate: string, roles: readonly Role[]): Admission['response'] {
  const rootPublicKey = authority.root.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const stateful = roles.filter((role) => ACCESS[role].group !== null);
  const stateKeys = Object.fromEntries(stateful.map((role) => [role, authority.stateKey(role).toString('base64')]));
  return { certificate, chain: [authority.certificate], rootPublicKey, stateKeys };
}

/** Throws RegistrarError when the key was revoked, or the subject has too many keys. */
export function checkKeys(store: EnrolmentStore, subject: string, { keyId }: ProvenKey): void {
  const keys = store.ofSubject(subject).map(({ enrolment }) => enrolment);
  if (keys.some((key) => key.signingKeyId === keyId && key.revokedAt !== 0)) {
    throw new RegistrarError('ERR_REGISTRAR_TAKEN', `the signing key ${keyId} was revoked: create a new one`);
  }
  if (keys.length >= MAX_KEYS) {
    throw new RegistrarError(
      'ERR_REGISTRAR_FORBIDDEN',
      `${subject} has reached the limit of ${MAX_KEYS} signing keys: enrol it under another subject`,
    );
  }
}

/**
 * Stores the key with its certificate, and retires the subject's previous keys: they stay valid for `retireAfterMs`,
 * for records in transit.
 */
export function storeEnrolments(
  deps: StepDeps,
  subject: string,
  role: string,
  signing: ProvenKey,
  serial: string,
): StoredEnrolment[] {
  const { store, options, now } = deps;
  const at = now() * 1000;
  const { keyId, publicKey } = signing;
  const previousKeys = store.ofSubject(subject).filter(({ enrolment }) => enrolment.signingKeyId !== keyId);
  const changes: [keyId: string, change: (existing: Enrolment | undefined) => Draft | null][] = [
    [
      keyId,
      (existing) => ({
        subject,
        role,
        publicKey,
        signingKeyId: keyId,
        certificateSerials: [...(existing?.certificateSerials ?? []), serial].slice(-MAX_SERIALS),
        issuedAt: existing?.issuedAt ?? at,
        revokedAt: 0,
      }),
    ],
    ...previousKeys.map(({ enrolment }): (typeof changes)[number] => [
      enrolment.signingKeyId,
      (existing) =>
        existing === undefined || existing.revokedAt !== 0
          ? null
          : { ...existing, revokedAt: at + options.retireAfterMs * 1000 },
    ]),
  ];
  return changes
    .map(([changedId, change]) => store.update(subject, changedId, change))
    .filter((update) => update !== null);
}

function checkGrant(grant: Grant, { subject, roles }: EnrolRequest, store: EnrolmentStore): void {
  if (grant.roles.join(',') !== roles.join(',')) {
    throw new RegistrarError('ERR_REGISTRAR_FORBIDDEN', `the token is for the role ${grant.roles.join(',')}`);
  }
  // The registrar's own principal may change the access lists of the brokers.
  if (subject === 'registrar' && roles.join(',') !== 'registrar') {
    throw new RegistrarError('ERR_REGISTRAR_FORBIDDEN', 'the name registrar is reserved: enrol under another name');
  }
  if (grant.subject !== null && grant.subject !== subject) {
    throw new RegistrarError('ERR_REGISTRAR_FORBIDDEN', 'the token is for another subject');
  }
  // The holder of a token for any subject must not replace an enrolled subject.
  if (grant.subject === null && store.ofSubject(subject).length > 0) {
    throw new RegistrarError(
      'ERR_REGISTRAR_TAKEN',
      `${subject} is already enrolled: create a token for this subject to enrol it again`,
    );
  }
}
