import { webcrypto } from 'node:crypto';

export interface TestCertificate {
  /** PEM of the certificate, without its issuer. */
  readonly certificate: string;
  /** PEM, PKCS#8. */
  readonly key: string;
}

export interface IssueOptions {
  /** Names and addresses of a server. @default localhost, 127.0.0.1, ::1 */
  readonly hosts?: readonly string[];
  /** URIs, such as a SPIFFE ID. */
  readonly uris?: readonly string[];
  /** @default one hour ago */
  readonly notBefore?: Date;
  /** @default in one day */
  readonly notAfter?: Date;
}

/** A certificate authority for tests. */
export interface TestCa {
  /** PEM of the authority's certificate. */
  readonly certificate: string;
  /** Issues a certificate for servers and clients. Each call creates a new key, as in a rotation. */
  issue(commonName: string, options?: IssueOptions): Promise<TestCertificate>;
  /** Issues a certificate that expired a minute ago. */
  issueExpired(commonName: string, options?: IssueOptions): Promise<TestCertificate>;
}

const HOUR_MS = 3_600_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOSTS = ['localhost', '127.0.0.1', '::1'];
const ADDRESS = /^[\d.]+$|:/;

/** Imported lazily, because most tests do not use it. */
async function library(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END PRIVATE KEY-----\n`;
}

function validity({ notBefore, notAfter }: IssueOptions): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return {
    notBefore: notBefore ?? new Date(now - HOUR_MS),
    notAfter: notAfter ?? new Date(now + 24 * HOUR_MS),
  };
}

function serial(): string {
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString('hex')}`;
}

/** Creates a new authority. A test of a CA rotation creates two. */
export async function createTestCa(commonName = 'Ringfence test CA'): Promise<TestCa> {
  const x509 = await library();
  const keys = await generateKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${commonName}`,
    ...validity({ notAfter: new Date(Date.now() + 10 * 24 * HOUR_MS) }),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const issue = async (name: string, options: IssueOptions = {}): Promise<TestCertificate> => {
    const subject = await generateKeys();
    const names = (options.hosts ?? HOSTS).map(
      (value) => ({ type: ADDRESS.test(value) ? 'ip' : 'dns', value }) as const,
    );
    const uris = (options.uris ?? []).map((value) => ({ type: 'url', value }) as const);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: [{ CN: [name] }],
      issuer: root.subject,
      ...validity(options),
      signingAlgorithm: ALGORITHM,
      publicKey: subject.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        new x509.SubjectAlternativeNameExtension([...names, ...uris]),
        await x509.AuthorityKeyIdentifierExtension.create(root),
      ],
    });
    return { certificate: `${certificate.toString('pem')}\n`, key: await pemOf(subject.privateKey) };
  };
  return {
    certificate: `${root.toString('pem')}\n`,
    issue,
    issueExpired: (name, options) =>
      issue(name, {
        notBefore: new Date(Date.now() - 2 * HOUR_MS),
        notAfter: new Date(Date.now() - 60_000),
        ...options,
      }),
  };
}
