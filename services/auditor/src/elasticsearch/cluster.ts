import { readFileSync } from 'node:fs';
import { defined } from '@ringfence/base';
import { ClusterRequestError, ClusterSetupError, ClusterUnavailableError } from './errors.ts';
import type { ClusterOptions } from './options.ts';

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: object;
  /** Lines of a bulk request */
  readonly lines?: string;
  /** Statuses besides 2xx that do not throw */
  readonly expectedStatuses?: readonly number[];
}

export interface ClusterResponse<T> {
  readonly status: number;
  readonly body: T;
}

/**
 * The REST API that Elasticsearch and OpenSearch share; their clients differ. Every request has a deadline and may be
 * sent twice, so that the clients can retry on another node. Rejects with ClusterUnavailableError (retriable) or
 * ClusterRequestError.
 */
export interface Cluster {
  request<T>(method: string, path: string, options?: RequestOptions): Promise<ClusterResponse<T>>;
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

/** Upper bound for responses; requests ask for pages of bounded size. */
const MAX_RESPONSE_BYTES = 256 * 2 ** 20;
const RETRIES = 2;

/** Connects at the first request. Throws ClusterSetupError for invalid settings. */
export function openCluster(options: ClusterOptions): Cluster {
  if (options.nodes.length === 0)
    throw new ClusterSetupError('auditor.elasticsearch.nodes is empty: add the URL of a node');
  const { flavour, apiKey } = options;
  if (flavour === 'opensearch' && apiKey !== '')
    throw new ClusterSetupError('OpenSearch does not support API keys: set user and password');
  // Load the client on first use: each takes tens of MB.
  let connecting: Promise<Client> | undefined;
  const client = (): Promise<Client> => {
    connecting ??= flavour === 'opensearch' ? connectOpenSearch(options) : connectElasticsearch(options);
    return connecting;
  };
  return {
    request: async (method, path, requestOptions = {}) => request((await client()).send, method, path, requestOptions),
    close: async () => (await connecting)?.close(),
  };
}

function tlsOf({ ca }: ClusterOptions): { ca?: string } {
  return ca === '' ? {} : { ca: readFileSync(ca, 'utf8') };
}

function authOf({ user, password, apiKey }: ClusterOptions): { auth?: never } {
  if (apiKey !== '') return { auth: { apiKey } as never };
  return user === '' ? {} : { auth: { username: user, password } as never };
}

async function connectElasticsearch(options: ClusterOptions): Promise<Client> {
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
    send: (params, sendOptions) => client.transport.request(params, { ...sendOptions, meta: true }),
    close: () => client.close(),
  };
}

async function connectOpenSearch(options: ClusterOptions): Promise<Client> {
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
    send: (params, sendOptions) => client.transport.request(params as never, sendOptions),
    close: () => client.close(),
  };
}

async function request<T>(
  send: Send,
  method: string,
  path: string,
  options: RequestOptions,
): Promise<ClusterResponse<T>> {
  const { query, body, lines, expectedStatuses = [] } = options;
  const json = 'application/json';
  const headers = { accept: json, 'content-type': lines === undefined ? json : 'application/x-ndjson' };
  const params: Params = {
    method,
    path,
    ...(query === undefined ? {} : { querystring: { ...query } }),
    ...defined({ body, bulkBody: lines }),
  };
  try {
    const response = await send(params, { ignore: [...expectedStatuses], headers });
    return { status: response.statusCode ?? 0, body: response.body as T };
  } catch (error) {
    throw clusterError(`${method} ${path}`, error);
  }
}

/** Statuses after which the cluster may recover, or an operator may fix permissions or blocks. */
export function isTransient(status: number): boolean {
  return status === 0 || status === 401 || status === 403 || status === 408 || status === 429 || status >= 500;
}

function clusterError(operation: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 0;
  if (status === 0 && !/Connection|Timeout|NoLiving|RequestAborted|ResponseError|ProductNotSupported/.test(error.name))
    return error;
  const reason = reasonOf(error);
  if (error.name === 'ProductNotSupportedError')
    return new ClusterSetupError(`${operation}: ${reason}`, { cause: error });
  return isTransient(status)
    ? new ClusterUnavailableError(operation, status, reason, { cause: error })
    : new ClusterRequestError(operation, status, reason, { cause: error });
}

/** The server's error message, bounded. */
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
