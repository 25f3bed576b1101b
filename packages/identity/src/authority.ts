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
import { messageOf } from '@ringfence/base';
import { createSigningKey, importSigningKey, keyIdOf, type Role, type SigningKey } from '@ringfence/wire';
import { IdentityError } from './errors.ts';
import { readText, syncDirectory, writeNew } from './files.ts';
import { loadX509, readRequest } from './request.ts';
import { checkHosts, checkSubject } from './roles.ts';
import { rootNameOf } from './root-name.ts';
import type * as X509 from './x509.ts';

const DAY_MS = 86_400_000;
/** Tolerance for hosts whose clocks run behind, ms. */
const CLOCK_SLACK_MS = 300_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface IssueRequest {
  /** PKCS#10, PEM; the CN must be `subject` */
  readonly csr: string;
  readonly subject: string;
  readonly roles: readonly Role[];
  /** DNS names and addresses of a server; empty for a client-only certificate */
  readonly hosts?: readonly string[];
  /** Validity of the certificate in days */
  readonly days: number;
}

export interface IssuedCertificate {
  /** PEM */
  readonly certificate: string;
  /** Hex, upper case, as TLS sockets report it */
  readonly serial: string;
  readonly notAfter: Date;
}

/** The fleet's certificate authority, and the root key that signs its Enrolment records. */
export interface Authority {
  readonly directory: string;
  /** Certificate of the authority, PEM */
  readonly certificate: string;
  /** SHA-256 of the certificate's DER */
  readonly fingerprint: Buffer;
  readonly root: SigningKey;
  /**
   * Returns the 32-byte secret that members of a role seal their state with. It is derived from the root key, so every
   * member gets the same secret and nothing more needs storing. A new authority has different secrets.
   */
  stateKey(role: Role): Buffer;
  /** Throws IdentityError when the request is invalid or its CN is not `subject`. */
  issue(request: IssueRequest): Promise<IssuedCertificate>;
}

/**
 * Creates `ca.pem`, `ca.key`, `root.pem` (public) and `root.key` in a directory with mode 0700. Throws IdentityError
 * when the directory already holds an authority.
 */
export async function createAuthority(directory: string, name = 'Ringfence fleet', days = 3650): Promise<Authority> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ O: ['Ringfence'] }, { CN: [name] }],
    serialNumber: serial(),
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - CLOCK_SLACK_MS),
    notAfter: new Date(Date.now() + days * DAY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const root = createSigningKey();
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Write the certificate last: a directory without ca.pem is an unfinished authority.
    writeNew(`${directory}/ca.key`, pem(KeyObject.from(keys.privateKey)));
    writeNew(`${directory}/root.key`, pem(root.privateKey));
    writeNew(`${directory}/root.pem`, root.publicKey.export({ type: 'spki', format: 'pem' }).toString());
    writeNew(`${directory}/ca.pem`, `${certificate.toString('pem')}\n`);
    syncDirectory(directory);
  } catch (cause) {
    throw new IdentityError(
      'ERR_IDENTITY_AUTHORITY',
      `cannot create an authority in ${directory}: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
  return openAuthority(directory);
}

/** Throws IdentityError when a file is missing, mismatched or readable by other users, or has expired. */
export async function openAuthority(directory: string): Promise<Authority> {
  try {
    return await open(directory);
  } catch (cause) {
    if (cause instanceof IdentityError) throw cause;
    const message = `the authority in ${directory} cannot be used: ${messageOf(cause)}`;
    throw new IdentityError('ERR_IDENTITY_AUTHORITY', message, { cause });
  }
}

async function open(directory: string): Promise<Authority> {
  const text = readText(`${directory}/ca.pem`);
  const key = createPrivateKey(readText(`${directory}/ca.key`, true));
  const root = importSigningKey(readText(`${directory}/root.key`, true));
  const authority = new X509Certificate(text);
  if (!authority.ca || !authority.checkPrivateKey(key)) throw new Error('ca.key does not match ca.pem');
  if (authority.validToDate.getTime() < Date.now()) throw new Error(`ca.pem expired on ${authority.validTo}`);
  const rootPublicKey = createPublicKey(readText(`${directory}/root.pem`));
  if (keyIdOf(rootPublicKey) !== root.keyId) throw new Error('root.pem does not match root.key');
  const der = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }));
  const signingKey = await crypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(text);
  return {
    directory,
    certificate: text,
    fingerprint: Buffer.from(authority.fingerprint256.replaceAll(':', ''), 'hex'),
    root,
    stateKey: (role) => stateKey(root, role),
    issue: (request) =>
      issue({ certificate: issuer, notAfter: authority.validToDate, key: signingKey, root: rootPublicKey }, request),
  };
}

interface Issuer {
  readonly certificate: X509.X509Certificate;
  readonly notAfter: Date;
  readonly key: webcrypto.CryptoKey;
  readonly root: KeyObject;
}

function stateKey({ privateKey }: SigningKey, role: Role): Buffer {
  const secret = privateKey.export({ type: 'pkcs8', format: 'der' });
  return Buffer.from(hkdfSync('sha256', secret, '', `ringfence state of ${role}`, 32));
}

async function issue(
  { certificate: issuer, notAfter: authorityNotAfter, key: signingKey, root }: Issuer,
  { csr, subject, roles, hosts = [], days }: IssueRequest,
): Promise<IssuedCertificate> {
  checkSubject(subject, roles);
  checkHosts(hosts);
  const request = await readRequest(csr);
  if (request.subject !== subject) {
    throw new IdentityError('ERR_IDENTITY_REQUEST', `the request's CN is "${request.subject}", not "${subject}"`);
  }
  const x509 = await loadX509();
  const notAfter = new Date(Math.min(Date.now() + days * DAY_MS, authorityNotAfter.getTime()));
  const serialNumber = serial();
  const usages = [x509.ExtendedKeyUsage.clientAuth, ...(hosts.length > 0 ? [x509.ExtendedKeyUsage.serverAuth] : [])];
  const names = [
    ...hosts.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
    // Brokers and stores have no role, and no use for the root key.
    ...(roles.length > 0 ? [{ type: 'url' as const, value: rootNameOf(root) }] : []),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber,
    issuer: issuer.subjectName,
    subject: [...roles.map((role) => ({ OU: [role] })), { CN: [subject] }],
    publicKey: request.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - Math.min(CLOCK_SLACK_MS, (days * DAY_MS) / 10)),
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

/** Returns 126 random bits as hex. The first byte is 0x40 to 0x7f, so every program prints the serial the same way. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
