import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Log } from '@ringfence/base';
import { IdentityError, type Peer, peerOf, type RegistrarResponse, type TlsMaterial } from '@ringfence/identity';
import type { CompiledRegistrarOptions } from './config.ts';
import { REFUSALS, RegistrarError } from './errors.ts';
import type { RegistrarMetrics } from './metrics.ts';
import { RefusalLimit } from './refusal-limit.ts';

const MAX_BODY_BYTES = 16_384;
const MAX_CONNECTIONS = 256;

export interface ServerDeps {
  readonly options: CompiledRegistrarOptions;
  readonly metrics: RegistrarMetrics;
  readonly log: Log;
  readonly tls: TlsMaterial;
  readonly enrol: (body: unknown, remote: string) => Promise<RegistrarResponse>;
  readonly renew: (body: unknown, certificate: X509Certificate | undefined) => Promise<RegistrarResponse>;
  readonly standing: () => Pick<RegistrarResponse, 'standing'>;
  /** A service that is being revoked has left its consumer groups */
  readonly left: (subject: string) => void;
}

/**
 * Sends the server's certificate and then the authority's: a client that only knows the authority's fingerprint finds
 * it in the chain.
 */
export function secureContext({ certificate, key, authority }: TlsMaterial): { cert: string; key: string; ca: string } {
  return { cert: certificate + authority, key, ca: authority };
}

/** Creates the HTTPS server for /enrol, /renew, /standing and /left; it does not listen yet. */
export function createRegistrarServer(deps: ServerDeps): Server {
  const { options, metrics } = deps;
  const limit = new RefusalLimit(options.refusalsPerMinute);
  let running = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const remote = request.socket.remoteAddress ?? '';
    try {
      if (limit.isBlocked(remote, performance.now())) {
        throw new RegistrarError(
          'ERR_REGISTRAR_TOO_MANY',
          'too many refused requests from this address: wait a minute',
        );
      }
      if (running >= options.maxRequests)
        throw new RegistrarError('ERR_REGISTRAR_BUSY', 'the registrar is busy: try again soon');
      running++;
      try {
        respond(response, 200, await route(deps, request, remote));
      } finally {
        running--;
      }
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) deps.log.error({ error }, 'a request failed unexpectedly');
      const { code, message, facts } =
        refusal ?? new RegistrarError('ERR_REGISTRAR_FAILED', 'the registrar failed: see its log');
      metrics.countRefusal(code);
      if (REFUSALS[code] < 500 && code !== 'ERR_REGISTRAR_TOO_MANY') limit.count(remote, performance.now());
      deps.log.warn({ remote, code, path: request.url?.slice(0, 64), ...facts }, `refused: ${message}`);
      respond(response, REFUSALS[code], { code, message });
    }
  };
  const server = createServer(
    {
      ...secureContext(deps.tls),
      requestCert: true,
      // Clients that enrol have no certificate yet; the other paths check `authorized`.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      handshakeTimeout: options.requestTimeoutMs,
      headersTimeout: options.requestTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 8192,
    },
    (request, response) => void handle(request, response),
  );
  server.maxConnections = MAX_CONNECTIONS;
  const onBroken = (): void => void metrics.brokenConnections++;
  server.on('tlsClientError', onBroken);
  server.on('clientError', (_error, socket) => {
    onBroken();
    socket.destroy();
  });
  return server;
}

async function route(
  { enrol, renew, standing, left }: ServerDeps,
  request: IncomingMessage,
  remote: string,
): Promise<object> {
  const target = `${request.method} ${request.url}`;
  if (target === 'POST /enrol') return enrol(await readBody(request), remote);
  if (target === 'POST /renew') {
    return renew(await readBody(request), certificateOf(request));
  }
  if (target === 'GET /standing') {
    peerOfRequest(request);
    return standing();
  }
  if (target === 'POST /left') {
    left(peerOfRequest(request).subject);
    return {};
  }
  throw new RegistrarError(
    'ERR_REGISTRAR_NOT_FOUND',
    'not found: expected POST /enrol, POST /renew, POST /left or GET /standing',
  );
}

/** Returns the client. Throws RegistrarError unless the fleet's authority issued its certificate. */
function peerOfRequest(request: IncomingMessage): Peer {
  const certificate = certificateOf(request);
  const peer = certificate === undefined ? null : peerOf(certificate.toLegacyObject());
  if (peer !== null) return peer;
  throw new RegistrarError('ERR_REGISTRAR_CERTIFICATE', 'this path requires a certificate of this fleet');
}

/** Returns the client's certificate if the fleet's authority issued it. */
function certificateOf({ socket }: IncomingMessage): X509Certificate | undefined {
  const { authorized } = socket as TLSSocket;
  return authorized ? (socket as TLSSocket).getPeerX509Certificate() : undefined;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES)
      throw new RegistrarError(
        'ERR_REGISTRAR_TOO_LARGE',
        `the body is too large: the limit is ${MAX_BODY_BYTES} bytes`,
      );
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw new RegistrarError('ERR_REGISTRAR_BAD_REQUEST', 'the body is not valid JSON', { cause });
  }
}

/** Returns null for an unexpected error, which is the registrar's fault. */
function refusalOf(error: unknown): RegistrarError | null {
  if (error instanceof RegistrarError) return error;
  if (error instanceof IdentityError && error.code === 'ERR_IDENTITY_REQUEST') {
    return new RegistrarError('ERR_REGISTRAR_BAD_REQUEST', error.message, { cause: error });
  }
  if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') {
    return new RegistrarError('ERR_REGISTRAR_BAD_REQUEST', 'the connection was reset', { cause: error });
  }
  return null;
}

function respond(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(text);
}
