import type { Authority, RegistrarAnswer } from '@ringfence/identity';
import { ACCESS, type Enrolment, type Role } from '@ringfence/wire';
import type { Book, Page } from '../book.ts';
import type { CompiledRegistrarOptions } from '../config.ts';
import { RegistrarError } from '../errors.ts';
import type { Grant, Tokens } from '../tokens.ts';
import { type EnrolRequest, readEnrolRequest, readSigningPart, type SigningPart } from './requests.ts';

/** Certificates of one key that count at a time: the one in use, the one that replaces it, and one whose answer was lost. */
const MAX_SERIALS = 3;
const MAX_KEYS = 1000;

/** Where a crash test may stop the process. */
export type Failpoint = 'before-spend' | 'after-spend' | 'after-record';

export interface StepDeps {
  readonly authority: Authority;
  readonly book: Book;
  readonly tokens: Tokens;
  readonly options: CompiledRegistrarOptions;
  /** ms since the epoch */
  readonly now: () => number;
  readonly failpoint: (name: Failpoint) => void;
}

export interface Admitted {
  readonly answer: RegistrarAnswer;
  /** what the bus must learn */
  readonly pages: readonly Page[];
  readonly subject: string;
}

/** A token becomes a certificate and an enrolled key. Everything that can be refused is refused before the token is spent. Throws RegistrarError. */
export async function enrolStep(deps: StepDeps, body: unknown, remote: string): Promise<Admitted> {
  const { authority, book, tokens, options, now, failpoint } = deps;
  const request = readEnrolRequest(body);
  const { token, subject, roles, csr } = request;
  const signing = readSigningPart(request);
  const grant = tokens.look(token, now());
  checkGrant(grant, request, book);
  checkKeys(book, subject, signing);
  const issued = await authority.issue({ csr, subject, roles, hosts: grant.hosts, days: options.certificateDays });
  failpoint('before-spend');
  tokens.spend(token);
  failpoint('after-spend');
  const pages = record(deps, subject, roles.join(','), signing, issued.serial);
  failpoint('after-record');
  tokens.note(token, { subject, serial: issued.serial, signingKeyId: signing.keyId, remote, at: new Date(now()) });
  return { answer: answerOf(authority, issued.certificate, roles), pages, subject };
}

export function answerOf(authority: Authority, certificate: string, roles: readonly Role[]): RegistrarAnswer {
  const rootPublicKey = authority.root.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const stateful = roles.filter((role) => ACCESS[role].group !== null);
  const stateKeys = Object.fromEntries(stateful.map((role) => [role, authority.stateKey(role).toString('base64')]));
  return { certificate, chain: [authority.certificate], rootPublicKey, stateKeys };
}

/** A key that was taken back stays so, and one subject has no end of them neither. Throws RegistrarError. */
export function checkKeys(book: Book, subject: string, { keyId }: SigningPart): void {
  const keys = book.of(subject).map(({ enrolment }) => enrolment);
  if (keys.some((key) => key.signingKeyId === keyId && key.revokedAt !== 0)) {
    throw new RegistrarError('ERR_REGISTRAR_TAKEN', `the signing key ${keyId} was taken back: make another`);
  }
  if (keys.length >= MAX_KEYS) {
    throw new RegistrarError('ERR_REGISTRAR_FORBIDDEN', `${subject} has had ${MAX_KEYS} signing keys: enrol it anew`);
  }
}

/** Enters key and certificate into the book; other keys of the subject stay good for what is on its way, and no longer. */
export function record(deps: StepDeps, subject: string, role: string, signing: SigningPart, serial: string): Page[] {
  const { book, options, now } = deps;
  const at = now() * 1000;
  const { keyId, publicKey } = signing;
  const retired = book.of(subject).filter(({ enrolment }) => enrolment.signingKeyId !== keyId);
  const changes: [
    string,
    (before: Enrolment | undefined) => Omit<Enrolment, 'version' | 'keyId' | 'signature'> | null,
  ][] = [
    [
      keyId,
      (before) => ({
        subject,
        role,
        publicKey,
        signingKeyId: keyId,
        certificateSerials: [...(before?.certificateSerials ?? []), serial].slice(-MAX_SERIALS),
        issuedAt: before?.issuedAt ?? at,
        revokedAt: 0,
      }),
    ],
    ...retired.map(({ enrolment }): (typeof changes)[number] => [
      enrolment.signingKeyId,
      (before) =>
        before === undefined || before.revokedAt !== 0
          ? null
          : { ...before, revokedAt: at + options.retireAfterMs * 1000 },
    ]),
  ];
  return changes.map(([id, change]) => book.update(subject, id, change)).filter((page) => page !== null);
}

function checkGrant(grant: Grant, { subject, roles }: EnrolRequest, book: Book): void {
  if (grant.roles.join(',') !== roles.join(',')) {
    throw new RegistrarError('ERR_REGISTRAR_FORBIDDEN', `the token is for the role ${grant.roles.join(',')}`);
  }
  if (grant.subject !== null && grant.subject !== subject) {
    throw new RegistrarError('ERR_REGISTRAR_FORBIDDEN', 'the token is for another subject');
  }
  // A token for anyone must not let its holder become one of those who are here already.
  if (grant.subject === null && book.of(subject).length > 0) {
    throw new RegistrarError(
      'ERR_REGISTRAR_TAKEN',
      `${subject} is enrolled: to enrol it again needs a token made for this subject`,
    );
  }
}
