import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs, defined } from '@ringfence/base';
import { RegistryAnswerError, RegistryRefusedError, RegistryUnreachableError } from './errors.ts';
import { exchangeHttp, type HttpAnswer, ResponseTooLargeError } from './http.ts';

export interface RegistryOptions {
  /** Base address of the API, without user and password. */
  readonly url: string;
  /** @default none: requests are not authenticated */
  readonly user?: string;
  readonly password?: string;
  /** PEM of the trusted authorities. @default those of Node */
  readonly ca?: string;
  /** Deadline of one attempt, ms. @default 5000 */
  readonly timeoutMs?: number;
  /** Attempts of a request before it rejects. @default 3 */
  readonly attempts?: number;
}

/** `BACKWARD_TRANSITIVE`: a reader with the newest schema can read all records ever written. */
export type Compatibility = 'BACKWARD_TRANSITIVE';

const TYPE = 'application/vnd.schemaregistry.v1+json';
const MAX_ANSWER_BYTES = 2 * 2 ** 20;
/** HTTP status for an unknown subject, version or schema. */
const NOT_FOUND = 404;
/** HTTP status for an incompatible schema. */
const CONFLICT = 409;
/** `attempts` bounds the pauses. */
const RETRY: Backoff = { firstMs: 200, maxMs: Infinity };

/**
 * A client of schema registries with Confluent's API (Confluent, Apicurio's ccompat, Karapace, Redpanda). Bounds and
 * validates every answer. Its methods reject with RegistryUnreachableError, RegistryRefusedError and
 * RegistryAnswerError.
 */
export class RegistryClient {
  /** The base address, without credentials. */
  readonly url: string;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #options: RegistryOptions;

  /** Throws RegistryAnswerError for an invalid address. */
  constructor(options: RegistryOptions) {
    const { user = '', password = '' } = options;
    const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol))
      throw new RegistryAnswerError('of schemaRegistry.url', 'not an http or https address');
    if (url.username !== '' || url.password !== '')
      throw new RegistryAnswerError(`at ${url.host}`, 'user and password belong in schemaRegistry.user and .password');
    url.pathname = url.pathname.replace(/\/*$/, '/');
    this.#base = url;
    this.url = url.href.replace(/\/$/, '');
    this.#options = options;
    const authorization =
      user === '' ? {} : { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
    this.#headers = { accept: TYPE, ...authorization };
  }

  /** Returns the schema with an id, or null. */
  async schemaById(id: number): Promise<string | null> {
    const answer = await this.#request('GET', ['schemas', 'ids', String(id)]);
    return answer === null ? null : this.#text(answer, 'schema');
  }

  /** Returns the versions of a subject; none for an unknown subject. */
  async versions(subject: string): Promise<readonly number[]> {
    const answer = await this.#request('GET', ['subjects', subject, 'versions']);
    if (answer === null) return [];
    if (!Array.isArray(answer) || !answer.every((version) => Number.isSafeInteger(version)))
      throw this.#malformed('the versions are not a list of numbers');
    return answer as number[];
  }

  async version(
    subject: string,
    version: number | 'latest',
  ): Promise<{ readonly id: number; readonly schema: string } | null> {
    const answer = await this.#request('GET', ['subjects', subject, 'versions', String(version)]);
    return answer === null ? null : { id: this.#number(answer, 'id'), schema: this.#text(answer, 'schema') };
  }

  /** Returns the id of a schema that is registered under a subject, or null. */
  async lookup(subject: string, schema: string): Promise<number | null> {
    const answer = await this.#request('POST', ['subjects', subject], { schema });
    return answer === null ? null : this.#number(answer, 'id');
  }

  /**
   * Registers a schema under a subject, unless it is registered already. Returns its id. Rejects with
   * RegistryRefusedError (status 409) when the schema is incompatible with the subject's versions.
   */
  async register(subject: string, schema: string): Promise<number> {
    return this.#number(await this.#request('POST', ['subjects', subject, 'versions'], { schema }), 'id');
  }

  /** Returns whether a schema is compatible with the versions of a subject; true for an unknown subject. */
  async compatible(subject: string, schema: string): Promise<boolean> {
    const answer = await this.#request('POST', ['compatibility', 'subjects', subject, 'versions'], { schema });
    if (answer === null) return true;
    const isCompatible = (answer as { is_compatible?: unknown }).is_compatible;
    if (typeof isCompatible !== 'boolean') throw this.#malformed('is_compatible is not a boolean');
    return isCompatible;
  }

  async setCompatibility(subject: string, compatibility: Compatibility): Promise<void> {
    await this.#request('PUT', ['config', subject], { compatibility });
  }

  /** Returns null when not found. Retries after network errors and status 5xx, 429 and 408. */
  async #request(method: 'GET' | 'POST' | 'PUT', path: readonly string[], body?: object): Promise<unknown> {
    const { attempts = 3 } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#requestOnce(method, path, body);
      } catch (error) {
        if (!(error instanceof RegistryUnreachableError) || attempt >= attempts) throw error;
        await sleep(backoffMs(attempt - 1, RETRY));
      }
    }
  }

  async #requestOnce(method: 'GET' | 'POST' | 'PUT', path: readonly string[], body?: object): Promise<unknown> {
    const { status, body: text } = await this.#exchange(method, path, body);
    if (status === NOT_FOUND && method !== 'PUT') return null;
    if (status >= 500 || status === 429 || status === 408)
      throw new RegistryUnreachableError(this.url, `status ${status} for ${method} ${path.join('/')}`);
    const answer = parsed(text);
    if (status >= 300) throw new RegistryRefusedError(this.url, status, reasonOf(answer));
    if (typeof answer !== 'object' || answer === null)
      throw this.#malformed(`the answer to ${method} ${path.join('/')} is not a JSON object`);
    return answer;
  }

  async #exchange(method: 'GET' | 'POST' | 'PUT', path: readonly string[], body?: object): Promise<HttpAnswer> {
    const { ca, timeoutMs = 5000 } = this.#options;
    const json = body === undefined ? undefined : JSON.stringify(body);
    const length =
      json === undefined ? {} : { 'content-type': TYPE, 'content-length': String(Buffer.byteLength(json)) };
    const url = new URL(path.map(encodeURIComponent).join('/'), this.#base);
    try {
      return await exchangeHttp(url, {
        method,
        headers: { ...this.#headers, ...length },
        timeoutMs,
        maxBytes: MAX_ANSWER_BYTES,
        ...defined({ body: json, ca }),
      });
    } catch (cause) {
      if (cause instanceof ResponseTooLargeError)
        throw new RegistryAnswerError(this.url, `the answer has ${cause.message}`, { cause });
      const timedOut = cause instanceof Error && /Abort|Timeout/.test(cause.name);
      throw new RegistryUnreachableError(this.url, timedOut ? `no answer within ${timeoutMs} ms` : messageOf(cause), {
        cause,
      });
    }
  }

  #number(answer: unknown, field: string): number {
    const value = (answer as Record<string, unknown> | null)?.[field];
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31) return value as number;
    throw this.#malformed(`"${field}" is not a number of 31 bits`);
  }

  #text(answer: unknown, field: string): string {
    const value = (answer as Record<string, unknown> | null)?.[field];
    if (typeof value === 'string') return value;
    throw this.#malformed(`"${field}" is not a string`);
  }

  #malformed(reason: string): RegistryAnswerError {
    return new RegistryAnswerError(this.url, reason);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the message of `{ "error_code": 40401, "message": "…" }`, shortened and without control characters. */
function reasonOf(answer: unknown): string {
  const message = (answer as { message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message.slice(0, 500).replace(/\p{Cc}/gu, ' ') : 'no reason given';
}

/** Node reports several failed addresses as an AggregateError without a message. */
function messageOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).join(', ');
  return cause instanceof Error ? cause.message : String(cause);
}

export const isConflict = (error: unknown): boolean =>
  error instanceof RegistryRefusedError && error.status === CONFLICT;
