import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { type ListenAddress, MetricsListenError } from './errors.ts';
import { type Health, handleHealth } from './health.ts';
import { Metrics } from './metrics.ts';

/** A static import evaluates all exports of node:http, and WebSocket among them loads undici, which keeps 7 MB. */
const http: typeof import('node:http') = process.getBuiltinModule('node:http');

export interface ServeOptions {
  readonly listen: ListenAddress;
  /** Bearer token required for a scrape; empty when none is required */
  readonly token: string;
  /** Called at each scrape, because services start and stop */
  readonly metrics: () => readonly Metrics[] | Promise<readonly Metrics[]>;
  /** State behind `/healthz` and `/readyz`. @default neither is served */
  readonly health?: Health;
}

export interface MetricsServer extends AsyncDisposable {
  readonly address: ListenAddress;
  close(): Promise<void>;
}

/** Limits slow and idle clients. */
const REQUEST_TIMEOUT_MS = 5000;
const MAX_CONNECTIONS = 16;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Resource use of the whole process; read at each scrape, so it costs nothing in between. */
function processMetrics(): Metrics {
  const metrics = new Metrics('process');
  metrics.gauge('resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  metrics.gauge('open_handles', 'Active resources of the event loop.', () => process.getActiveResourcesInfo().length);
  metrics.counter('cpu_seconds_total', 'CPU time by mode.', { mode: ['user', 'system'] }, () => {
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
  // No token required: a kubelet has none, and only names and states of components are shown.
  if (health !== undefined && (await handleHealth(request, response, health))) return;
  const path = (request.url ?? '').split('?')[0];
  if (path !== '/metrics') return void response.writeHead(404).end('metrics are at /metrics\n');
  if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
  if (!isAllowed(request, token)) return void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
  const merged = await registry();
  const text = await merged.metrics();
  response.writeHead(200, { 'content-type': merged.contentType }).end(text);
}

/** Serves /metrics, /healthz and /readyz. Rejects with MetricsListenError when it cannot listen on the address. */
export async function serveMetrics(options: ServeOptions): Promise<MetricsServer> {
  const { listen, metrics } = options;
  const resourceMetrics = processMetrics();
  const registry = async (): Promise<Registry> =>
    Registry.merge([...(await metrics()), resourceMetrics].map((service) => service.registry));
  const server = http.createServer((request, response) => {
    respond(request, response, options, registry).catch((error: unknown) => {
      response
        .writeHead(500)
        .end(`cannot read the metrics: ${error instanceof Error ? error.message : String(error)}\n`);
    });
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  server.maxConnections = MAX_CONNECTIONS;
  try {
    server.listen(listen);
    await once(server, 'listening');
  } catch (cause) {
    throw new MetricsListenError(listen, { cause });
  }
  // The metrics server alone must not keep the process alive.
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
