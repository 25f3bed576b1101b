import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeFolder, OperatorError } from '@ringfence/base';
import { http } from './http.ts';

/** What a route gives: one JSON value, lines of JSON as they come, or bytes as they come. */
export type Answer =
  | { readonly json: unknown }
  | { readonly lines: AsyncIterable<unknown> }
  | { readonly bytes: AsyncIterable<Uint8Array> };
/** `signal` aborts when the asker goes away. Throws OperatorError for a bad question. */
export type Route = (query: URLSearchParams, signal: AbortSignal, path: readonly string[]) => Promise<Answer> | Answer;

/** Serves commands on a unix socket that only its owner may open. A path is `/name/rest…`; routes go by name. */
export async function serveApi(socket: string, routes: Readonly<Record<string, Route>>): Promise<AsyncDisposable> {
  makeFolder(dirname(socket), 0o700);
  await removeStale(socket);
  const server = http.createServer((request, response) => void answer(routes, request, response));
  server.listen(socket);
  await once(server, 'listening');
  chmodSync(socket, 0o600);
  return { [Symbol.asyncDispose]: () => close(server, socket) };
}

async function close(server: Server, socket: string): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
  rmSync(socket, { force: true });
}

/** A socket file that nobody listens on was left by a killed process. */
async function removeStale(socket: string): Promise<void> {
  const probe = connect(socket);
  try {
    await once(probe, 'connect');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED') rmSync(socket);
    else if (code !== 'ENOENT') throw error;
    return;
  } finally {
    probe.destroy();
  }
  throw new OperatorError(`another ringfence listens on ${socket}: stop it, or set runDir and stateDir to others`);
}

async function answer(
  routes: Readonly<Record<string, Route>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  try {
    const url = new URL(request.url ?? '/', 'http://ringfence');
    const [name = '', ...path] = url.pathname.slice(1).split('/').map(decodeURIComponent);
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (route === undefined) throw new OperatorError(`unknown request ${url.pathname}`);
    await send(response, await route(url.searchParams, gone.signal, path));
  } catch (error) {
    if (gone.signal.aborted) return;
    const known = error instanceof OperatorError;
    if (!response.headersSent) response.writeHead(known ? 400 : 500, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
  }
}

async function send(response: ServerResponse, result: Answer): Promise<void> {
  if ('json' in result) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(result.json));
    return;
  }
  const bytes = 'bytes' in result;
  response.writeHead(200, { 'content-type': bytes ? 'application/octet-stream' : 'application/x-ndjson' });
  response.flushHeaders();
  await pipeline(Readable.from(bytes ? result.bytes : asLines(result.lines)), response);
}

async function* asLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}
