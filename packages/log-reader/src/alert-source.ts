import { createHash, timingSafeEqual } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { messageOf, OperatorError, type Tallies } from '@ringfence/base';
import { asObject, asText, type Json, parseJson } from '@ringfence/host-kit';
import { writtenAt } from './line-time.ts';
import { type LogLine, type LogSource, MAX_LINE } from './log-source.ts';

export interface AlertOptions {
  /** Port 0 selects a free port. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Sent as a bearer token, or as the password of any user. @default that of `tokenFile` */
  readonly token?: string;
  /** Read for each request, so that the token can be changed. */
  readonly tokenFile?: string;
}

export interface AlertSourceDeps extends AlertOptions {
  /** counts `alerts_denied`, `alerts_malformed`, `alerts_too_long`, `alerts_refused` */
  readonly events: Tallies;
  /** called when an alert has arrived */
  readonly wake: () => void;
}

/** An import statement would load undici, 7 MB, with the export named WebSocket. */
const http: typeof import('node:http') = process.getBuiltinModule('node:http');

/** Falco's own alerts have some KiB. */
const MAX_BODY = 1024 * 1024;
/** Alerts that wait to be taken; with more, senders are told to come back. */
const MAX_WAITING = 1024;
const MAX_CONNECTIONS = 64;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_TIME = 40;
/** More than any token needs. */
const TOKEN_MAX_BYTES = 4096;
/** Characters of each text of an alert that is too long as a whole. */
const SHORTER = [4096, 1024, 256, 64];

interface Waiting {
  readonly line: LogLine;
  readonly response: ServerResponse;
}

/** Takes alerts of other sensors, each the JSON body of a POST, and confirms each once it is on disk. */
export class AlertSource implements LogSource {
  readonly name = 'alerts';
  readonly paths: readonly string[] = [];
  readonly settled = true;
  /** Resolves when the port is open. Rejects with the errors of node:net, or OperatorError without a readable token. */
  readonly ready: Promise<void>;
  readonly #deps: AlertSourceDeps;
  readonly #server: Server;
  readonly #waiting: Waiting[] = [];
  #taken: ServerResponse[] = [];

  constructor(deps: AlertSourceDeps) {
    this.#deps = deps;
    this.#server = http.createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      this.#take(request, response).catch(() => response.destroy());
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('drop', () => deps.events.add('alerts_refused'));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    promise.catch(() => {});
    try {
      tokenOf(deps);
      this.#server.once('error', reject).listen({ ...deps.listen }, resolve);
    } catch (error) {
      reject(error);
    }
  }

  /** 0 until the port is open */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  next(): LogLine | null {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return null;
    this.#taken.push(waiting.response);
    return waiting.line;
  }

  saved(): void {
    for (const response of this.#taken) response.writeHead(200).end();
    this.#taken = [];
  }

  scan(): void {}

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refuse = (status: number, event: string): void => {
      this.#deps.events.add(event);
      response.writeHead(status, { connection: 'close' }).end();
    };
    const allowed = this.#isAllowed(request.headers.authorization ?? '');
    if (allowed === null) return refuse(503, 'alerts_refused');
    if (!allowed) return refuse(401, 'alerts_denied');
    if (request.method !== 'POST') return refuse(405, 'alerts_malformed');
    const body = await bodyOf(request);
    if (body === null) return refuse(413, 'alerts_too_long');
    const alert = asObject(parseJson(body.toString('utf8')));
    if (Object.keys(alert).length === 0) return refuse(400, 'alerts_malformed');
    if (this.#waiting.length >= MAX_WAITING) return refuse(503, 'alerts_refused');
    this.#waiting.push({ line: lineOf(alert, body), response });
    this.#deps.wake();
  }

  /** Returns null while the token can't be read. */
  #isAllowed(authorization: string): boolean | null {
    const [scheme = '', value = ''] = authorization.split(' ', 2);
    const isBasic = scheme.toLowerCase() === 'basic';
    const login = isBasic ? Buffer.from(value, 'base64').toString('utf8') : `:${value}`;
    const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
    try {
      return timingSafeEqual(digest(login.slice(login.indexOf(':') + 1)), digest(tokenOf(this.#deps)));
    } catch {
      return null;
    }
  }
}

/** Throws OperatorError if there is no token, which an empty password would match. */
function tokenOf({ token = '', tokenFile = '' }: AlertOptions): string {
  const found = tokenFile === '' ? token : readToken(tokenFile);
  if (found === '')
    throw new OperatorError(`the token for alerts of other sensors is empty: ${tokenFile || 'not set'}`);
  return found;
}

function readToken(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(TOKEN_MAX_BYTES);
      return bytes.toString('utf8', 0, readSync(file, bytes)).trim();
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new OperatorError(`collector.alerts.tokenFile: ${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function lineOf(alert: Json, body: Buffer): LogLine {
  return {
    bytes: body.length <= MAX_LINE ? body : shortened(alert),
    length: body.length,
    origin: 'http',
    path: 'alerts',
    offset: -1,
    writtenAt: writtenAt(Buffer.from(`${asText(alert['time'], MAX_TIME)} `), Date.now() * 1000),
  };
}

/** Cuts the texts of an alert until it fits: cut as a whole, an alert with a long command line would be unreadable. */
function shortened(alert: Json): Buffer {
  for (const length of SHORTER) {
    const cut = (_: string, value: unknown): unknown => (typeof value === 'string' ? value.slice(0, length) : value);
    const bytes = Buffer.from(JSON.stringify(alert, cut));
    if (bytes.length <= MAX_LINE) return bytes;
  }
  const { rule, priority, time } = alert;
  return Buffer.from(
    JSON.stringify({ rule: asText(rule, 256), priority: asText(priority, 64), time: asText(time, MAX_TIME) }),
  );
}
