import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { messageOf, pause } from '@ringfence/base';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { lineOf } from '../encode/text.ts';
import { SinkRefusedError, SinkUnavailableError } from '../errors.ts';
import type { TlsSettings } from '../settings/common.ts';
import type { OpenContext } from '../sink.ts';

/** The part of an answer that is read: enough for its reason or its references. */
const ANSWER_MAX_BYTES = 4 * 2 ** 20;
const REASON_MAX_CHARS = 300;
/** Longest pause that a far side can ask for with `Retry-After`. */
const RETRY_AFTER_MAX_MS = 60_000;
/** Statuses that say that the request itself is wrong: sent again, it would be refused again. */
const REFUSALS: ReadonlySet<number> = new Set([400, 405, 406, 411, 413, 414, 415, 422, 431]);

const HINTS: Readonly<Record<number, string>> = {
  401: 'check the token or password',
  403: 'the credentials lack a right',
  404: 'check the URL',
  407: 'the proxy wants credentials',
  429: 'the far side asks for fewer requests',
};

export interface HttpOptions {
  /** Name of the sink, for messages */
  readonly sink: string;
  readonly url: string;
  readonly tls: Pick<TlsSettings, 'ca' | 'cert' | 'key'>;
  /** Deadline of a request, ms */
  readonly timeoutMs: number;
  /** Headers of each request, read anew, so that secrets can be rotated. */
  readonly headers?: () => Readonly<Record<string, string>>;
  readonly gzip?: boolean;
  /** What messages call the far side, for a URL that is a secret. @default the URL */
  readonly shown?: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** At most 4 MiB */
  readonly bytes: Uint8Array;
  /** The bytes as UTF-8 */
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Appended to the URL of the sink */
  readonly path?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses besides 2xx that are answers. */
  readonly expected?: readonly number[];
  readonly signal: AbortSignal;
}

/**
 * Requests to one far side, by a proxy if HTTPS_PROXY or HTTP_PROXY is set. Answers other than 2xx become errors: what
 * a retry can mend becomes SinkUnavailableError, the rest SinkRefusedError.
 */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #base: string;
  readonly #shown: string;
  #dispatcher: Dispatcher | undefined;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#base = options.url.replace(/\/+$/, '');
    this.#shown = options.shown ?? this.#base;
  }

  async send({ method = 'POST', path = '', body, headers, expected = [], signal }: HttpRequest): Promise<HttpAnswer> {
    const { sink, timeoutMs, gzip = false } = this.#options;
    const packed = gzip && body !== undefined ? gzipSync(body) : body;
    const answer = await this.#request(path, {
      method,
      headers: {
        'user-agent': 'ringfence',
        ...(gzip && body !== undefined ? { 'content-encoding': 'gzip' } : {}),
        ...this.#options.headers?.(),
        ...headers,
      },
      ...(packed === undefined ? {} : { body: packed }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    const { status } = answer;
    if ((status >= 200 && status < 300) || expected.includes(status)) return answer;
    const reason = `${this.#shown} answered ${status}: ${oneLine(answer.text)}`.replace(/: $/, '');
    if (REFUSALS.has(status)) throw new SinkRefusedError(sink, reason);
    await pause(retryAfterMs(answer.headers['retry-after']), signal);
    const hint = HINTS[status] === undefined ? '' : `; ${HINTS[status]}`;
    throw new SinkUnavailableError(sink, `${reason}${hint}`);
  }

  async #request(path: string, options: Omit<Dispatcher.RequestOptions, 'origin' | 'path'>): Promise<HttpAnswer> {
    try {
      this.#dispatcher ??= connect(this.#options);
      const { statusCode, headers, body } = await request(`${this.#base}${path}`, {
        ...options,
        dispatcher: this.#dispatcher,
      });
      const bytes = await readBounded(body);
      return { status: statusCode, headers, bytes, text: bytes.toString('utf8') };
    } catch (error) {
      // Certificates may have been the reason, and may have been replaced.
      await this.close();
      throw new SinkUnavailableError(this.#options.sink, `${this.#shown}: ${causeOf(error)}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    const dispatcher = this.#dispatcher;
    this.#dispatcher = undefined;
    await dispatcher?.destroy();
  }
}

/** Returns the client of a sink whose settings have its address and its TLS. */
export const httpClientOf = (
  { name, common }: Pick<OpenContext, 'name' | 'common'>,
  settings: TlsSettings & { readonly url: string },
  options: Pick<HttpOptions, 'headers' | 'gzip'> = {},
): HttpClient =>
  new HttpClient({ sink: name, url: settings.url, tls: settings, timeoutMs: common.timeout, ...options });

function connect({ tls: { ca, cert, key }, timeoutMs }: HttpOptions): Dispatcher {
  const connect = {
    timeout: timeoutMs,
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(cert === undefined ? {} : { cert: readFileSync(cert) }),
    ...(key === undefined ? {} : { key: readFileSync(key) }),
  };
  const hasProxy = [
    process.env['HTTPS_PROXY'],
    process.env['https_proxy'],
    process.env['HTTP_PROXY'],
    process.env['http_proxy'],
  ].some(Boolean);
  return hasProxy ? new EnvHttpProxyAgent({ connect, requestTls: connect }) : new Agent({ connect });
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > ANSWER_MAX_BYTES) throw new RangeError(`the answer has more than ${ANSWER_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Returns the deepest message: undici wraps the reason. */
function causeOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  if (cause instanceof Error && cause.message !== '') return causeOf(cause);
  return messageOf(error) || String((error as NodeJS.ErrnoException).code);
}

/** Returns the beginning of a far side's text as one line without control characters. */
export const oneLine = (text: string): string => lineOf(text, REASON_MAX_CHARS);

function retryAfterMs(header: string | string[] | undefined): number {
  const seconds = Number([header].flat()[0] ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, RETRY_AFTER_MAX_MS) : 0;
}
