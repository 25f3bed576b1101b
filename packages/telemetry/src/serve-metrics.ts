import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { MetricsListenError } from './errors.ts';
import { answerHealth, type Health } from './health.ts';
import { Metrics } from './metrics.ts';

/** An import statement would read all that the module exports, and one of that (WebSocket) loads undici: 7 MB that stay. */
const http: typeof import('node:http') = process.getBuiltinModule('node:http');

export interface ListenAddress {
  readonly host: string;
  /** 0: any free one */
  readonly port: number;
}

export interface ServeOptions {
  readonly listen: ListenAddress;
  /** bearer token a scraper must show; empty: none */
  readonly token: string;
  /** asked at each scrape: services come and go */
  readonly metrics: () => readonly Metrics[] | Promise<readonly Metrics[]>;
  /** what `/healthz` and `/readyz` say. @default neither is served */
  readonly health?: Health;
}

export interface MetricsServer extends AsyncDisposable {
  readonly address: ListenAddress;
  close(): Promise<void>;
}

/** Slow or silent clients may not pile up. */
const REQUEST_TIMEOUT_MS = 5000;
const CONNECTIONS_MAX = 16;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** What the whole process uses; read at a scrape, so that it costs nothing in between. */
function processMetrics(): Metrics {
  const metrics = new Metrics('process');
  metrics.observed('resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  metrics.observed(
    'open_handles',
    'Active resources of the event loop.',
    () => process.getActiveResourcesInfo().length,
  );
  metrics.observedTotal('cpu_seconds_total', 'CPU time by mode.', { mode: ['user', 'system'] }, () => {
    const { user, system } = process.cpuUsage();
    return [
      [{ mode: 'user' }, user / 1e6],
      [{ mode: 'system' }, system / 1e6],
    ];
  });
  return metrics;
}

function isAllowed(request: IncomingMessage, token: string): boolean {
  if (token === '') return true;
  return timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`));
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { token, health }: ServeOptions,
  registry: () => Promise<Registry>,
): Promise<void> {
  // A kubelet has no token, and what is told are names of parts.
  if (health !== undefined && (await answerHealth(request, response, health))) return;
  const path = (request.url ?? '').split('?')[0];
  if (path !== '/metrics') return void response.writeHead(404).end('metrics are at /metrics\n');
  if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
  if (!isAllowed(request, token)) return void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
  const all = await registry();
  const text = await all.metrics();
  response.writeHead(200, { 'content-type': all.contentType }).end(text);
}

/** Serves /metrics, and /healthz and /readyz. Rejects with MetricsListenError when the address can't be had. */
export async function serveMetrics(options: ServeOptions): Promise<MetricsServer> {
  const { listen, metrics } = options;
  const own = processMetrics();
  const registry = async (): Promise<Registry> =>
    Registry.merge([...(await metrics()), own].map((service) => service.registry));
  const server = http.createServer((request, response) => {
    respond(request, response, options, registry).catch((error: unknown) => {
      response.writeHead(500).end(`metrics can't be read: ${error instanceof Error ? error.message : String(error)}\n`);
    });
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  server.maxConnections = CONNECTIONS_MAX;
  try {
    server.listen(listen);
    await once(server, 'listening');
  } catch (cause) {
    throw new MetricsListenError(listen, { cause });
  }
  // Metrics alone are no reason to go on living.
  server.unref();
  const close = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const { address, port } = server.address() as AddressInfo;
  return { address: { host: address, port }, close, [Symbol.asyncDispose]: close };
}
