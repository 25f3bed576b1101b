import { createPublicKey, type KeyObject } from 'node:crypto';
import { createSigningKey, type Role, type SigningKey, signBytes } from '@ringfence/wire';
import { IdentityError } from './errors.ts';
import { checkMaterial, type Identity, loadIdentity, writeIdentity } from './identity.ts';
import { ask, type Contact, fetchAuthority, type RegistrarAnswer } from './registrar-client.ts';
import { createRequest, type KeyAndRequest } from './request.ts';
import { checkSubject } from './roles.ts';
import { parseToken } from './token.ts';

export interface EnrolOptions extends Contact {
  readonly token: string;
  /** hostId of an agent, or the name of a service's instance */
  readonly subject: string;
  readonly roles: readonly Role[];
  /** where the identity is written: `<stateDir>/identity` */
  readonly directory: string;
}

/**
 * Makes a TLS key and a signing key here, has them enrolled, and writes the identity (0600, whole or not at all). The private keys never travel. The
 * token is spent by it, even when the answer is lost. Throws IdentityError; EnrolmentRefusedError when the registrar says no.
 */
export async function enrol(options: EnrolOptions): Promise<Identity> {
  const { subject, roles, directory } = options;
  const token = parseToken(options.token);
  checkSubject(subject, roles);
  const authority = await fetchAuthority(options, token.authority);
  const request = await createRequest(subject);
  const signingKey = createSigningKey();
  const body = { token: token.secret, subject, roles, csr: request.csr, ...signingPart(signingKey, request.csr) };
  const answer = await ask(options, '/enrol', body, { authority });
  return store(directory, subject, request, signingKey, answer, authority);
}

export interface RenewOptions extends Contact {
  readonly directory: string;
  /** Another signing key too; the one before stays good for what it has signed. @default false */
  readonly newSigningKey?: boolean;
}

/** A new certificate, asked for with the one in force. Throws IdentityError; EnrolmentRefusedError when the registrar says no. */
export async function renew(options: RenewOptions): Promise<Identity> {
  const { directory } = options;
  const present = loadIdentity(directory);
  if (present === null) {
    throw new IdentityError('ERR_IDENTITY_FILES', `there is no identity in ${directory} to renew: enrol first`);
  }
  const { subject, tls } = present;
  const request = await createRequest(subject);
  const signingKey = options.newSigningKey === true ? createSigningKey() : present.signingKey;
  const body = { csr: request.csr, ...signingPart(signingKey, request.csr) };
  const answer = await ask(options, '/renew', body, tls);
  return store(directory, subject, request, signingKey, answer, tls.authority, present.root);
}

/** The public half, and the proof that the private one is here: it signs the request. */
function signingPart(key: SigningKey, csr: string): { signingPublicKey: string; proof: string } {
  return {
    signingPublicKey: key.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    proof: signBytes(key, Buffer.from(csr)).toString('base64'),
  };
}

function store(
  directory: string,
  subject: string,
  { key }: KeyAndRequest,
  signing: SigningKey,
  { certificate, rootPublicKey, stateKeys }: RegistrarAnswer,
  authority: string,
  knownRoot?: KeyObject,
): Identity {
  const root = createPublicKey(rootPublicKey);
  const named = checkMaterial({ certificate, key, authority }).peer.subject;
  const wrong =
    named !== subject
      ? `a certificate for "${named}"`
      : root.asymmetricKeyType !== 'ed25519' || knownRoot?.equals(root) === false
        ? 'another root key than the fleet has'
        : null;
  if (wrong !== null) {
    throw new IdentityError('ERR_IDENTITY_REGISTRAR', `the registrar answered with ${wrong}: nothing was written`);
  }
  writeIdentity(directory, {
    certificate,
    key,
    authority,
    signingKey: signing.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    root: rootPublicKey,
    stateKeys: JSON.stringify(stateKeys),
  });
  return loadIdentity(directory) as Identity;
}
