import { readFileSync } from 'node:fs';
import { ClusterRequestError, ClusterSetupError, ClusterUnavailableError } from './errors.ts';
import type { ClusterOptions } from './options.ts';

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: object;
  /** lines of a bulk request */
  readonly lines?: string;
  /** statuses that are answers too, beside 2xx */
  readonly expect?: readonly number[];
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

/**
 * What we ask of Elasticsearch or OpenSearch, whose clients differ and whose REST does not. Every request has a deadline; each is safe to send twice,
 * so the clients may try another node. Rejects with ClusterUnavailableError (retriable) or ClusterRequestError.
 */
export interface Cluster {
  request<T>(method: string, path: string, options?: RequestOptions): Promise<Answer<T>>;
  close(): Promise<void>;
}

interface Params {
  readonly method: string;
  readonly path: string;
  readonly querystring?: Record<string, unknown>;
  readonly body?: object;
  readonly bulkBody?: string;
}

type Send = (
  params: Params,
  options: { ignore: number[]; headers: Record<string, string> },
) => Promise<{
  readonly statusCode?: number | null;
  readonly body: unknown;
}>;

interface Client {
  readonly send: Send;
  close(): Promise<void>;
}

/** Answers are pages that we bound ourselves; more would not be one of ours. */
const MAX_RESPONSE_BYTES = 256 * 2 ** 20;
const RETRIES = 2;

/** Connects at the first request. Throws ClusterSetupError for settings that can't be. */
export function openCluster(options: ClusterOptions): Cluster {
  if (options.nodes.length === 0) throw new ClusterSetupError('auditor.elasticsearch.nodes is empty: name a node');
  const { flavour, apiKey } = options;
  if (flavour === 'opensearch' && apiKey !== '')
    throw new ClusterSetupError('OpenSearch takes no API key: set user and password');
  // A client is loaded when it is used: each costs a process tens of MB.
  let opened: Promise<Client> | undefined;
  const client = (): Promise<Client> => {
    opened ??= flavour === 'opensearch' ? openSearch(options) : elastic(options);
    return opened;
  };
  return {
    request: async (method, path, given = {}) => request((await client()).send, method, path, given),
    close: async () => (await opened)?.close(),
  };
}

function tlsOf({ ca }: ClusterOptions): { ca?: string } {
  return ca === '' ? {} : { ca: readFileSync(ca, 'utf8') };
}

function authOf({ user, password, apiKey }: ClusterOptions): { auth?: never } {
  if (apiKey !== '') return { auth: { apiKey } as never };
  return user === '' ? {} : { auth: { username: user, password } as never };
}

async function elastic(options: ClusterOptions): Promise<Client> {
  const { Client } = await import('@elastic/elasticsearch');
  const client = new Client({
    nodes: [...options.nodes],
    ...authOf(options),
    tls: tlsOf(options),
    maxRetries: RETRIES,
    requestTimeout: options.requestTimeoutMs,
    maxResponseSize: MAX_RESPONSE_BYTES,
    name: 'ringfence-auditor',
  });
  return {
    send: (params, given) => client.transport.request(params, { ...given, meta: true }),
    close: () => client.close(),
  };
}

async function openSearch(options: ClusterOptions): Promise<Client> {
  const { Client } = await import('@opensearch-project/opensearch');
  const client = new Client({
    nodes: [...options.nodes],
    ...authOf(options),
    ssl: tlsOf(options),
    maxRetries: RETRIES,
    requestTimeout: options.requestTimeoutMs,
    name: 'ringfence-auditor',
  });
  return {
    send: (params, given) => client.transport.request(params as never, given),
    close: () => client.close(),
  };
}

async function request<T>(send: Send, method: string, path: string, given: RequestOptions): Promise<Answer<T>> {
  const { query, body, lines, expect = [] } = given;
  const json = 'application/json';
  const headers = { accept: json, 'content-type': lines === undefined ? json : 'application/x-ndjson' };
  const params: Params = {
    method,
    path,
    ...(query === undefined ? {} : { querystring: { ...query } }),
    ...(body === undefined ? {} : { body }),
    ...(lines === undefined ? {} : { bulkBody: lines }),
  };
  try {
    const answer = await send(params, { ignore: [...expect], headers });
    return { status: answer.statusCode ?? 0, body: answer.body as T };
  } catch (error) {
    throw clusterError(`${method} ${path}`, error);
  }
}

/** Statuses behind which a cluster may recover, or a person may mend rights or blocks. */
export function isPassing(status: number): boolean {
  return status === 0 || status === 401 || status === 403 || status === 408 || status === 429 || status >= 500;
}

function clusterError(what: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 0;
  if (status === 0 && !/Connection|Timeout|NoLiving|RequestAborted|ResponseError|ProductNotSupported/.test(error.name))
    return error;
  const reason = reasonOf(error);
  if (error.name === 'ProductNotSupportedError') return new ClusterSetupError(`${what}: ${reason}`, { cause: error });
  return isPassing(status)
    ? new ClusterUnavailableError(what, status, reason, { cause: error })
    : new ClusterRequestError(what, status, reason, { cause: error });
}

/** The server's own words, bounded. */
function reasonOf(error: Error): string {
  const body = 'body' in error ? (error.body as { error?: ItemError } | undefined) : undefined;
  return (body?.error === undefined ? error.message : errorText(body.error)).slice(0, 1000);
}

export interface ItemError {
  readonly type?: string;
  readonly reason?: string;
  readonly caused_by?: ItemError;
}

export function errorText(error: ItemError | string): string {
  if (typeof error === 'string') return error;
  const cause = error.caused_by?.reason;
  return `${error.type ?? 'error'}: ${error.reason ?? ''}${cause === undefined ? '' : ` (${cause})`}`;
}
