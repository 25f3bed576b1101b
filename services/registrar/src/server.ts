import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Log } from '@ringfence/base';
import { IdentityError, type RegistrarAnswer, type TlsMaterial } from '@ringfence/identity';
import type { CompiledRegistrarOptions } from './config.ts';
import { REFUSALS, RegistrarError } from './errors.ts';
import { RefusalLimit } from './limit.ts';
import type { RegistrarMetrics } from './metrics.ts';

const MAX_BODY = 16_384;
const MAX_CONNECTIONS = 256;

export interface ServerDeps {
  readonly options: CompiledRegistrarOptions;
  readonly metrics: RegistrarMetrics;
  readonly log: Log;
  readonly tls: TlsMaterial;
  readonly enrol: (body: unknown, remote: string) => Promise<RegistrarAnswer>;
  readonly renew: (body: unknown, certificate: X509Certificate | undefined) => Promise<RegistrarAnswer>;
}

/** Certificate first, then the authority's: a client that has only its fingerprint finds it there. */
export function secureContext({ certificate, key, authority }: TlsMaterial): { cert: string; key: string; ca: string } {
  return { cert: certificate + authority, key, ca: authority };
}

/** HTTPS with `POST /enrol` and `POST /renew`, not listening yet. */
export function createRegistrarServer(deps: ServerDeps): Server {
  const { options, metrics } = deps;
  const limit = new RefusalLimit(options.refusalsPerMinute);
  let working = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const remote = request.socket.remoteAddress ?? '';
    try {
      if (limit.blocks(remote, performance.now())) {
        throw new RegistrarError('ERR_REGISTRAR_TOO_MANY', 'too many refusals for this address: wait a minute');
      }
      if (working >= options.maxRequests) throw new RegistrarError('ERR_REGISTRAR_BUSY', 'busy: come again soon');
      working++;
      try {
        answer(response, 200, await route(deps, request, remote));
      } finally {
        working--;
      }
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) deps.log.error({ error }, 'a request failed in a way that nobody thought of');
      const { code, message } =
        refusal ?? new RegistrarError('ERR_REGISTRAR_FAILED', 'the registrar failed: see its log');
      metrics.refused(code);
      if (REFUSALS[code] < 500 && code !== 'ERR_REGISTRAR_TOO_MANY') limit.refused(remote, performance.now());
      deps.log.warn({ remote, code, path: request.url?.slice(0, 64) }, `refused: ${message}`);
      answer(response, REFUSALS[code], { code, message });
    }
  };
  const server = createServer(
    {
      ...secureContext(deps.tls),
      requestCert: true,
      // Those who enrol have no certificate yet; /renew asks `authorized`.
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
  const broken = (): void => void metrics.brokenConnections++;
  server.on('tlsClientError', broken);
  server.on('clientError', (_error, socket) => {
    broken();
    socket.destroy();
  });
  return server;
}

async function route({ enrol, renew }: ServerDeps, request: IncomingMessage, remote: string): Promise<RegistrarAnswer> {
  const wanted = `${request.method} ${request.url}`;
  if (wanted === 'POST /enrol') return enrol(await readBody(request), remote);
  if (wanted === 'POST /renew') {
    const socket = request.socket as TLSSocket;
    return renew(await readBody(request), socket.authorized ? socket.getPeerX509Certificate() : undefined);
  }
  throw new RegistrarError('ERR_REGISTRAR_NOT_FOUND', 'there is POST /enrol and POST /renew');
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY) throw new RegistrarError('ERR_REGISTRAR_TOO_LARGE', `a body has at most ${MAX_BODY} bytes`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (cause) {
    throw new RegistrarError('ERR_REGISTRAR_BAD_REQUEST', 'the body is no JSON', { cause });
  }
}

/** null: a failure of ours. */
function refusalOf(error: unknown): RegistrarError | null {
  if (error instanceof RegistrarError) return error;
  if (error instanceof IdentityError && error.code === 'ERR_IDENTITY_REQUEST') {
    return new RegistrarError('ERR_REGISTRAR_BAD_REQUEST', error.message, { cause: error });
  }
  if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') {
    return new RegistrarError('ERR_REGISTRAR_BAD_REQUEST', 'the request broke off', { cause: error });
  }
  return null;
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(text);
}
