import {
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  KeyObject,
  randomBytes,
  type webcrypto,
  X509Certificate,
} from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSigningKey, importSigningKey, keyIdOf, type Role, type SigningKey } from '@ringfence/wire';
import { IdentityError, messageOf } from './errors.ts';
import { readText, syncDirectory, writeNew } from './files.ts';
import { loadX509, readRequest } from './request.ts';
import { checkHosts, checkSubject } from './roles.ts';
import type * as X509 from './x509.ts';

const DAY = 86_400_000;
/** Clocks of hosts may be behind by this much, ms. */
const CLOCK_SLACK = 300_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface IssueRequest {
  /** PKCS#10, PEM; its CN must be `subject` */
  readonly csr: string;
  readonly subject: string;
  readonly roles: readonly Role[];
  /** DNS names and addresses that it serves under; none: a client only */
  readonly hosts?: readonly string[];
  /** how long it is valid */
  readonly days: number;
}

export interface Issued {
  /** PEM */
  readonly certificate: string;
  /** hex, upper case, as TLS sockets say it */
  readonly serial: string;
  readonly notAfter: Date;
}

/** The fleet's certificate authority, and the root key that signs its Enrolment records. */
export interface Authority {
  readonly directory: string;
  /** PEM of its own certificate */
  readonly certificate: string;
  /** sha256 of that, DER */
  readonly fingerprint: Buffer;
  readonly root: SigningKey;
  /**
   * The secret, 32 bytes, that the members of a role seal their state with. Derived from the root key: the same for whoever enrols, and nothing more to
   * keep; an authority made anew has others.
   */
  stateKey(role: Role): Buffer;
  /** Throws IdentityError for a request that isn't sound, or speaks of another subject. */
  issue(request: IssueRequest): Promise<Issued>;
}

/** Makes `ca.pem`, `ca.key`, `root.pem` (public) and `root.key` in a directory of root's alone. Throws IdentityError when there is one already. */
export async function createAuthority(directory: string, name = 'Ringfence fleet', days = 3650): Promise<Authority> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ O: ['Ringfence'] }, { CN: [name] }],
    serialNumber: serial(),
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - CLOCK_SLACK),
    notAfter: new Date(Date.now() + days * DAY),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const root = createSigningKey();
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // The certificate last: without it there is no authority, and an unfinished one is told from a whole one.
    writeNew(`${directory}/ca.key`, pem(KeyObject.from(keys.privateKey)));
    writeNew(`${directory}/root.key`, pem(root.privateKey));
    writeNew(`${directory}/root.pem`, root.publicKey.export({ type: 'spki', format: 'pem' }).toString());
    writeNew(`${directory}/ca.pem`, `${certificate.toString('pem')}\n`);
    syncDirectory(directory);
  } catch (cause) {
    throw new IdentityError('ERR_IDENTITY_AUTHORITY', `no authority was made in ${directory}: ${messageOf(cause)}`, {
      cause,
    });
  }
  return openAuthority(directory);
}

/** Throws IdentityError when a file is missing, readable by others, does not fit the others, or the authority has expired. */
export async function openAuthority(directory: string): Promise<Authority> {
  try {
    return await open(directory);
  } catch (cause) {
    if (cause instanceof IdentityError) throw cause;
    const why = `the authority in ${directory} can not be used: ${messageOf(cause)}`;
    throw new IdentityError('ERR_IDENTITY_AUTHORITY', why, { cause });
  }
}

async function open(directory: string): Promise<Authority> {
  const text = readText(`${directory}/ca.pem`);
  const key = createPrivateKey(readText(`${directory}/ca.key`, true));
  const root = importSigningKey(readText(`${directory}/root.key`, true));
  const own = new X509Certificate(text);
  if (!own.ca || !own.checkPrivateKey(key)) throw new Error('ca.key is not the key of the authority in ca.pem');
  if (own.validToDate.getTime() < Date.now()) throw new Error(`ca.pem expired on ${own.validTo}`);
  const shown = createPublicKey(readText(`${directory}/root.pem`));
  if (keyIdOf(shown) !== root.keyId) throw new Error('root.pem is not the public half of root.key');
  const der = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }));
  const signingKey = await crypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(text);
  return {
    directory,
    certificate: text,
    fingerprint: Buffer.from(own.fingerprint256.replaceAll(':', ''), 'hex'),
    root,
    stateKey: (role) => stateKey(root, role),
    issue: (request) => issue(issuer, own.validToDate, signingKey, request),
  };
}

function stateKey({ privateKey }: SigningKey, role: Role): Buffer {
  const secret = privateKey.export({ type: 'pkcs8', format: 'der' });
  return Buffer.from(hkdfSync('sha256', secret, '', `ringfence state of ${role}`, 32));
}

async function issue(
  issuer: X509.X509Certificate,
  lastDay: Date,
  signingKey: webcrypto.CryptoKey,
  { csr, subject, roles, hosts = [], days }: IssueRequest,
): Promise<Issued> {
  checkSubject(subject, roles);
  checkHosts(hosts);
  const request = await readRequest(csr);
  if (request.subject !== subject) {
    throw new IdentityError('ERR_IDENTITY_REQUEST', `the request's CN is "${request.subject}", not "${subject}"`);
  }
  const x509 = await loadX509();
  const notAfter = new Date(Math.min(Date.now() + days * DAY, lastDay.getTime()));
  const serialNumber = serial();
  const usages = [x509.ExtendedKeyUsage.clientAuth, ...(hosts.length > 0 ? [x509.ExtendedKeyUsage.serverAuth] : [])];
  const names = hosts.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber,
    issuer: issuer.subjectName,
    subject: [...roles.map((role) => ({ OU: [role] })), { CN: [subject] }],
    publicKey: request.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - Math.min(CLOCK_SLACK, (days * DAY) / 10)),
    notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usages),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, serial: serialNumber.toUpperCase(), notAfter };
}

/** 127 random bits; the first byte is neither 0 nor above 0x7f, so that every program writes it alike. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
