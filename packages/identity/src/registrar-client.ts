import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity, connect } from 'node:tls';
import { messageOf } from '@ringfence/base';
import { EnrolmentRefusedError, IdentityError } from './errors.ts';
import type { TlsMaterial } from './identity.ts';
import { peerOf } from './peer.ts';
import { readStateKeys, type StateKeys } from './state-keys.ts';

const MAX_RESPONSE_CHARS = 1 << 20;

/** Response of the registrar to /enrol and /renew. */
export interface RegistrarResponse {
  /** PEM */
  readonly certificate: string;
  /** Certificates up to the authority, PEM */
  readonly chain: readonly string[];
  /** Ed25519, PEM (SPKI) */
  readonly rootPublicKey: string;
  /** State keys, base64 by role: only the subject's roles that keep state */
  readonly stateKeys: StateKeys;
  /** The framed Standing of the fleet, base64; null from a registrar of a version that has none */
  readonly standing: string | null;
}

export interface RegistrarEndpoint {
  /** `https://host:port` */
  readonly registrar: string;
  /** Deadline for the whole response, ms. @default 15 s */
  readonly timeoutMs?: number;
}

const unreachable = ({ registrar }: RegistrarEndpoint, cause: unknown): IdentityError =>
  new IdentityError(
    'ERR_IDENTITY_REGISTRAR',
    `the request to the registrar ${registrar} failed: ${messageOf(cause)}; check the address and that it runs`,
    { cause },
  );

/**
 * Fetches the authority's certificate (PEM) from the registrar's TLS handshake: the one whose SHA-256 is `fingerprint`.
 * Sends nothing and trusts no other certificate; the next connection verifies that the authority issued the registrar's
 * certificate. Throws IdentityError.
 */
export async function fetchAuthority(endpoint: RegistrarEndpoint, fingerprint: Buffer): Promise<string> {
  const { hostname, port } = urlOf(endpoint);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host: hostname, port, servername: serverName(hostname), rejectUnauthorized: false });
  socket.setTimeout(endpoint.timeoutMs ?? 15_000, () => socket.destroy(new Error('timed out')));
  socket.on('error', (error) => reject(unreachable(endpoint, error)));
  socket.on('close', () => reject(unreachable(endpoint, new Error('it closed the connection'))));
  socket.on('secureConnect', () => {
    const expected = fingerprint.toString('hex');
    let candidate = socket.getPeerX509Certificate();
    for (let depth = 0; candidate !== undefined && depth < 4; depth++, candidate = candidate.issuerCertificate) {
      if (candidate.fingerprint256.replaceAll(':', '').toLowerCase() === expected) return resolve(candidate.toString());
    }
    reject(
      new IdentityError(
        'ERR_IDENTITY_REGISTRAR',
        `${endpoint.registrar} is not the registrar of the token's fleet: it did not present the authority's certificate`,
      ),
    );
  });
  return promise.finally(() => socket.destroy());
}

/** Throws EnrolmentRefusedError when the registrar refuses the request, IdentityError on all other failures. */
export async function callRegistrar(
  endpoint: RegistrarEndpoint,
  path: '/enrol' | '/renew',
  body: object,
  tls: Pick<TlsMaterial, 'authority'> & Partial<TlsMaterial>,
): Promise<RegistrarResponse> {
  return call(endpoint, { method: 'POST', path }, body, tls, readResponse);
}

/**
 * Fetches the fleet's newest Standing, framed. Returns null when the registrar is of a version that has none. Throws
 * EnrolmentRefusedError when the registrar refuses the request, IdentityError on all other failures.
 */
export async function fetchStanding(endpoint: RegistrarEndpoint, tls: TlsMaterial): Promise<Uint8Array | null> {
  try {
    return await call(endpoint, { method: 'GET', path: '/standing' }, null, tls, (response) => {
      const { standing } = response as { standing?: unknown };
      if (typeof standing !== 'string') throw new Error('its response has no standing');
      return Buffer.from(standing, 'base64');
    });
  } catch (error) {
    // The registrar's certificate proves that the answer is its own.
    if (error instanceof EnrolmentRefusedError && error.status === 404) return null;
    throw error;
  }
}

/** How long a revocation waits until the service has left its consumer groups, ms. */
export const LEAVE_GRACE_MS = 15_000;

/**
 * Notifies the registrar that this service, which is being revoked, has left its consumer groups. Throws
 * EnrolmentRefusedError when the registrar refuses the request, IdentityError on all other failures.
 */
export async function confirmLeft(endpoint: RegistrarEndpoint, tls: TlsMaterial): Promise<void> {
  await call(endpoint, { method: 'POST', path: '/left' }, {}, tls, () => null);
}

async function call<T>(
  endpoint: RegistrarEndpoint,
  target: { readonly method: 'GET' | 'POST'; readonly path: string },
  body: object | null,
  tls: Pick<TlsMaterial, 'authority'> & Partial<TlsMaterial>,
  read: (response: unknown) => T,
): Promise<T> {
  const { hostname, port } = urlOf(endpoint);
  try {
    const { status, text } = await send(
      {
        hostname,
        port,
        ...target,
        ca: tls.authority,
        cert: tls.certificate,
        key: tls.key,
        servername: serverName(hostname),
        signal: AbortSignal.timeout(endpoint.timeoutMs ?? 15_000),
      },
      body === null ? '' : JSON.stringify(body),
    );
    const response: unknown = JSON.parse(text);
    if (status === 200) return read(response);
    const { code, message } = response as { code?: unknown; message?: unknown };
    throw new EnrolmentRefusedError(status, String(code).slice(0, 64), String(message).slice(0, 512));
  } catch (error) {
    throw error instanceof IdentityError ? error : unreachable(endpoint, error);
  }
}

function send(options: object, body: string): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const outgoing = request(
    {
      ...options,
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
        if (text.length > MAX_RESPONSE_CHARS)
          response.destroy(new Error(`its response has more than ${MAX_RESPONSE_CHARS} characters`));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    },
  );
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

function readResponse(response: unknown): RegistrarResponse {
  const { certificate, chain, rootPublicKey, stateKeys, standing } = response as Partial<
    Record<keyof RegistrarResponse, unknown>
  >;
  const complete =
    typeof certificate === 'string' &&
    typeof rootPublicKey === 'string' &&
    Array.isArray(chain) &&
    chain.length > 0 &&
    chain.every((pem) => typeof pem === 'string');
  if (!complete) throw new Error('its response is incomplete');
  // Throws when the text is not a certificate.
  new X509Certificate(certificate);
  return {
    certificate,
    chain: chain as string[],
    rootPublicKey,
    stateKeys: readStateKeys(stateKeys),
    standing: typeof standing === 'string' ? standing : null,
  };
}

function urlOf({ registrar }: RegistrarEndpoint): { hostname: string; port: number } {
  const url = URL.parse(registrar);
  if (url?.protocol !== 'https:') {
    throw new IdentityError('ERR_IDENTITY_REGISTRAR', `registrar "${registrar}": expected https://host:port`);
  }
  return { hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 443 : Number(url.port) };
}

/** Returns '' for an IP address: TLS allows no server name for it. */
function serverName(hostname: string): string {
  return isIP(hostname) === 0 ? hostname : '';
}
