import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity, connect } from 'node:tls';
import { EnrolmentRefusedError, IdentityError, messageOf } from './errors.ts';
import type { TlsMaterial } from './identity.ts';
import { peerOf } from './peer.ts';
import { readStateKeys, type StateKeys } from './state-keys.ts';

const MAX_ANSWER = 65_536;

/** What the registrar answers to /enrol and /renew. */
export interface RegistrarAnswer {
  /** PEM */
  readonly certificate: string;
  /** PEM, up to the authority */
  readonly chain: readonly string[];
  /** Ed25519, PEM (SPKI) */
  readonly rootPublicKey: string;
  /** base64 by role: what the members of that role seal their state with; of the subject's roles only, and of those that have state */
  readonly stateKeys: StateKeys;
}

export interface Contact {
  /** `https://host:port` */
  readonly registrar: string;
  /** from the call to the end of the answer, ms. @default 15 s */
  readonly timeoutMs?: number;
}

const unreachable = ({ registrar }: Contact, cause: unknown): IdentityError =>
  new IdentityError(
    'ERR_IDENTITY_REGISTRAR',
    `the registrar ${registrar} could not be asked: ${messageOf(cause)}; check the address and that it runs`,
    { cause },
  );

/**
 * First contact: the authority's certificate, PEM, that the registrar shows and whose sha256 is `fingerprint`. Nothing is sent, and nothing but that
 * certificate believed: whether the registrar has its own from it is checked by the next connection. Throws IdentityError.
 */
export async function fetchAuthority(contact: Contact, fingerprint: Buffer): Promise<string> {
  const { hostname, port } = urlOf(contact);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host: hostname, port, servername: serverName(hostname), rejectUnauthorized: false });
  socket.setTimeout(contact.timeoutMs ?? 15_000, () => socket.destroy(new Error('it does not answer')));
  socket.on('error', (error) => reject(unreachable(contact, error)));
  socket.on('close', () => reject(unreachable(contact, new Error('it hung up'))));
  socket.on('secureConnect', () => {
    const wanted = fingerprint.toString('hex');
    let shown = socket.getPeerX509Certificate();
    for (let depth = 0; shown !== undefined && depth < 4; depth++, shown = shown.issuerCertificate) {
      if (shown.fingerprint256.replaceAll(':', '').toLowerCase() === wanted) return resolve(shown.toString());
    }
    reject(
      new IdentityError(
        'ERR_IDENTITY_REGISTRAR',
        `${contact.registrar} is not of the fleet that the token is for: it shows no certificate of its authority`,
      ),
    );
  });
  return promise.finally(() => socket.destroy());
}

/** Throws EnrolmentRefusedError for an answer that says no, IdentityError for everything else. */
export async function ask(
  contact: Contact,
  path: '/enrol' | '/renew',
  body: object,
  tls: Pick<TlsMaterial, 'authority'> & Partial<TlsMaterial>,
): Promise<RegistrarAnswer> {
  const { hostname, port } = urlOf(contact);
  try {
    const { status, text } = await post(
      {
        hostname,
        port,
        path,
        ca: tls.authority,
        cert: tls.certificate,
        key: tls.key,
        servername: serverName(hostname),
        signal: AbortSignal.timeout(contact.timeoutMs ?? 15_000),
      },
      JSON.stringify(body),
    );
    const answer: unknown = JSON.parse(text);
    if (status === 200) return readAnswer(answer);
    const { code, message } = answer as { code?: unknown; message?: unknown };
    throw new EnrolmentRefusedError(status, String(code).slice(0, 64), String(message).slice(0, 512));
  } catch (error) {
    throw error instanceof IdentityError ? error : unreachable(contact, error);
  }
}

function post(options: object, body: string): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const sent = request(
    {
      ...options,
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      checkServerIdentity: (host, certificate) =>
        checkServerIdentity(host, certificate) ??
        (peerOf(certificate)?.roles.includes('registrar') ? undefined : new Error('it is not the registrar')),
    },
    (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_ANSWER) response.destroy(new Error(`its answer has more than ${MAX_ANSWER} bytes`));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    },
  );
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

function readAnswer(answer: unknown): RegistrarAnswer {
  const { certificate, chain, rootPublicKey, stateKeys } = answer as Partial<Record<keyof RegistrarAnswer, unknown>>;
  const whole =
    typeof certificate === 'string' &&
    typeof rootPublicKey === 'string' &&
    Array.isArray(chain) &&
    chain.length > 0 &&
    chain.every((one) => typeof one === 'string');
  if (!whole) throw new Error('its answer is not whole');
  // Throws for what is no certificate.
  new X509Certificate(certificate);
  return { certificate, chain: chain as string[], rootPublicKey, stateKeys: readStateKeys(stateKeys) };
}

function urlOf({ registrar }: Contact): { hostname: string; port: number } {
  const url = URL.parse(registrar);
  if (url?.protocol !== 'https:') {
    throw new IdentityError('ERR_IDENTITY_REGISTRAR', `registrar "${registrar}": expected https://host:port`);
  }
  return { hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 443 : Number(url.port) };
}

/** No server name is sent for an address; '' says so. */
function serverName(hostname: string): string {
  return isIP(hostname) === 0 ? hostname : '';
}
