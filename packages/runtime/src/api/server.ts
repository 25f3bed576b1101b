import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeFolder, messageOf, OperatorError } from '@ringfence/base';
import { type Action, type Operator, parseClaims, peerOf } from '@ringfence/operators';
import { CLAIMS_HEADER, http } from './protocol.ts';

/** A response: one JSON value, or a stream of JSON lines or bytes. */
export type Answer =
  | { readonly json: unknown }
  | { readonly lines: AsyncIterable<unknown> }
  | { readonly bytes: AsyncIterable<Uint8Array> };

/**
 * Answers a request. `signal` aborts when the client disconnects; `recordId` is the id of its record, empty when it has
 * none. Throws OperatorError for a bad request.
 */
type Handler = (
  query: URLSearchParams,
  signal: AbortSignal,
  path: readonly string[],
  recordId: string,
) => Promise<Answer> | Answer;

/** An action that the audit trail records before it begins. */
export interface RecordedAction extends Action {
  /** Whether the action is refused without a reason: it destroys, or takes protection away. @default false */
  readonly needsReason?: boolean;
}

export interface Route {
  /** The action that a request is; false: requests change nothing and hand out no evidence of an incident. */
  readonly operator: ((query: URLSearchParams, path: readonly string[]) => RecordedAction) | false;
  readonly answer: Handler;
}

export type Routes = Readonly<Record<string, Route>>;

/** Resolves to the id of the record of an action when it is durable. */
export type Recorder = (action: Action, operator: Operator) => Promise<string>;

const refuseActions: Recorder = () => Promise.reject(new TypeError('no recorder was given'));

/**
 * Serves `routes`, chosen by the first segment of the path, on a unix socket that only its owner may open. Each action
 * is recorded before its route answers. @default record: requests that are actions are refused
 */
export async function serveApi(
  socket: string,
  routes: Routes,
  record: Recorder = refuseActions,
): Promise<AsyncDisposable> {
  makeFolder(dirname(socket), 0o700);
  await removeStale(socket);
  const server = http.createServer((request, response) => void handle(routes, record, request, response));
  // listen() binds at once, so no other user can connect before a chmod.
  const mask = process.umask(0o177);
  server.listen(socket);
  process.umask(mask);
  await once(server, 'listening');
  return { [Symbol.asyncDispose]: () => close(server, socket) };
}

async function close(server: Server, socket: string): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
  rmSync(socket, { force: true });
}

/** Removes the socket file that a killed process left. Throws OperatorError when a process listens on it. */
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
  throw new OperatorError(`another ringfence listens on ${socket}: stop it, or change runDir and stateDir`);
}

async function handle(
  routes: Routes,
  record: Recorder,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const disconnected = new AbortController();
  response.on('close', () => disconnected.abort());
  try {
    const { url, segments } = parseTarget(request.url ?? '/');
    const [name = '', ...path] = segments;
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (route === undefined) throw new OperatorError(`unknown request ${url.pathname}`);
    const { operator } = route;
    const id = operator === false ? '' : await recordAction(record, operator(url.searchParams, path), request);
    await send(response, await route.answer(url.searchParams, disconnected.signal, path, id));
  } catch (error) {
    if (disconnected.signal.aborted) return;
    const status = error instanceof OperatorError ? 400 : 500;
    if (!response.headersSent) response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: messageOf(error) }));
  }
}

/** Throws OperatorError when the action needs a reason, or can't be recorded. */
async function recordAction(record: Recorder, action: RecordedAction, request: IncomingMessage): Promise<string> {
  const { reason: claimed, ...claims } = parseClaims(headerOf(request));
  const { needsReason = false, ...asked } = action;
  const reason = claimed || (asked.reason ?? '');
  if (needsReason && reason === '') throw new OperatorError(`${asked.action} needs a reason: give --reason`);
  const { _handle: handle } = request.socket as { readonly _handle?: { readonly fd?: number } };
  const peer = handle?.fd === undefined ? null : peerOf(handle.fd);
  return record({ ...asked, reason }, { ...claims, uid: peer?.uid ?? -1, pid: peer?.pid ?? -1, origin: 'socket' });
}

function headerOf({ headers }: IncomingMessage): string {
  const value = headers[CLAIMS_HEADER];
  return typeof value === 'string' ? Buffer.from(value, 'base64url').toString('utf8') : '';
}

/** Throws OperatorError for a target that is no URL, or with an invalid escape. */
function parseTarget(target: string): { readonly url: URL; readonly segments: readonly string[] } {
  try {
    const url = new URL(target, 'http://ringfence');
    return { url, segments: url.pathname.slice(1).split('/').map(decodeURIComponent) };
  } catch (cause) {
    throw new OperatorError(`invalid request ${target.slice(0, 200)}`, { cause });
  }
}

async function send(response: ServerResponse, result: Answer): Promise<void> {
  if ('json' in result) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(result.json));
    return;
  }
  const isBinary = 'bytes' in result;
  response.writeHead(200, { 'content-type': isBinary ? 'application/octet-stream' : 'application/x-ndjson' });
  response.flushHeaders();
  await pipeline(Readable.from(isBinary ? result.bytes : asLines(result.lines)), response);
}

async function* asLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}
