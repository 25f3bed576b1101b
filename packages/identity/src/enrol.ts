import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSigningKey, type Role, type SigningKey, signBytes } from '@ringfence/wire';
import { IdentityError } from './errors.ts';
import { createHandover } from './handover.ts';
import { checkMaterial, type Identity, loadIdentity, writeIdentity } from './identity.ts';
import { isKeptElsewhere, signingKeyText } from './kept-key.ts';
import { callRegistrar, fetchAuthority, type RegistrarEndpoint, type RegistrarResponse } from './registrar-client.ts';
import { createRequest, type KeyAndRequest } from './request.ts';
import { checkSubject } from './roles.ts';
import { agreesWithRoot } from './root-name.ts';
import { FleetStanding, standingPath } from './standing.ts';
import { parseToken } from './token.ts';

export interface EnrolOptions extends RegistrarEndpoint {
  readonly token: string;
  /** Host id of an agent, or the instance name of a service */
  readonly subject: string;
  readonly roles: readonly Role[];
  /** Where the identity is written: `<stateDir>/identity` */
  readonly directory: string;
}

/**
 * Creates a TLS key and a signing key, enrols them and writes the identity (mode 0600) atomically. The private keys
 * never leave this machine. The token is spent even when the response is lost. Throws IdentityError;
 * EnrolmentRefusedError when the registrar refuses.
 */
export async function enrol(options: EnrolOptions): Promise<Identity> {
  const { subject, roles, directory } = options;
  const token = parseToken(options.token);
  checkSubject(subject, roles);
  const authority = await fetchAuthority(options, token.authority);
  const request = await createRequest(subject);
  const signingKey = createSigningKey();
  const body = { token: token.secret, subject, roles, csr: request.csr, ...signingProof(signingKey, request.csr) };
  const response = await callRegistrar(options, '/enrol', body, { authority });
  return storeIdentity(directory, subject, request, signingKey, response, authority);
}

export interface RenewOptions extends RegistrarEndpoint {
  readonly directory: string;
  /**
   * Also replaces the signing key, which the current key must sign; the current key stays valid for records that it
   * signed. @default false
   */
  readonly newSigningKey?: boolean;
  /** Signs the request if another process keeps the private signing key */
  readonly prove?: ((csr: string) => Promise<Uint8Array>) | undefined;
}

/**
 * Requests a new certificate, authenticated by the current certificate. Throws IdentityError; EnrolmentRefusedError
 * when the registrar refuses.
 */
export async function renew(options: RenewOptions): Promise<Identity> {
  const { directory } = options;
  const current = loadIdentity(directory);
  if (current === null) {
    throw new IdentityError('ERR_IDENTITY_FILES', `${directory} holds no identity to renew: enrol first`);
  }
  const { subject, tls } = current;
  const request = await createRequest(subject);
  const signingKey = options.newSigningKey === true ? createSigningKey() : current.signingKey;
  const { prove } = options;
  const proof = prove !== undefined && isKeptElsewhere(signingKey) ? await prove(request.csr) : undefined;
  const renewal = { csr: request.csr, ...signingProof(signingKey, request.csr, proof) };
  const handover = options.newSigningKey === true ? createHandover(current.signingKey, { subject, ...renewal }) : null;
  const body = handover === null ? renewal : { ...renewal, handover };
  const response = await callRegistrar(options, '/renew', body, tls);
  return storeIdentity(directory, subject, request, signingKey, response, tls.authority, current.root);
}

/** Returns the public key, and a signature of the request that proves possession of the private key. */
function signingProof(
  key: SigningKey,
  csr: string,
  signature: Uint8Array = signBytes(key, Buffer.from(csr)),
): { signingPublicKey: string; proof: string } {
  return {
    signingPublicKey: key.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    proof: Buffer.from(signature).toString('base64'),
  };
}

function storeIdentity(
  directory: string,
  subject: string,
  { key }: KeyAndRequest,
  signing: SigningKey,
  { certificate, rootPublicKey, stateKeys, standing }: RegistrarResponse,
  authority: string,
  knownRoot?: KeyObject,
): Identity {
  const root = createPublicKey(rootPublicKey);
  const issuedTo = checkMaterial({ certificate, key, authority }).subject;
  const isFleetRoot =
    root.asymmetricKeyType === 'ed25519' &&
    knownRoot?.equals(root) !== false &&
    agreesWithRoot(new X509Certificate(certificate), root);
  const problem =
    issuedTo !== subject
      ? `a certificate for "${issuedTo}"`
      : isFleetRoot
        ? null
        : "a root key that is not the fleet's";
  if (problem !== null) {
    throw new IdentityError('ERR_IDENTITY_REGISTRAR', `the registrar returned ${problem}: nothing was written`);
  }
  writeIdentity(directory, {
    certificate,
    key,
    authority,
    signingKey: signingKeyText(signing),
    root: rootPublicKey,
    stateKeys: JSON.stringify(stateKeys),
  });
  // Keep it for the next start: from then on, a registrar that denies having standings is not believed.
  if (standing !== null)
    new FleetStanding(root, { path: standingPath(directory) }).add(Buffer.from(standing, 'base64'));
  return loadIdentity(directory) as Identity;
}
